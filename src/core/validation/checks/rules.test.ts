import { expect, it } from 'vitest';
import { configSchema } from '../../config/schema.ts';
import { checkRules } from './rules.ts';

const found = (rule: object): string[] =>
  checkRules(
    configSchema.parse({
      schemaVersion: 1,
      controlPlane: 'test',
      regions: { us: { zone: 'us' }, eu: { zone: 'eu' } },
      rules: [{ id: 'r', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], ...rule }],
    }),
  ).map((row) => `${row.subject} ${row.severity} ${row.code ?? ''}`);

it('names rules that this version plans but cannot run', () => {
  expect(found({})).toEqual([]);
  expect(found({ tier: 'hot' })).toEqual(['r warn XC-1007']);
  expect(found({ tier: 'cold' })).toEqual(['r warn XC-1007']);
  expect(found({ mode: 'active-active' })).toEqual(['r warn XC-1007']);
});
