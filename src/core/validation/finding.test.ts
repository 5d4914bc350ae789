import { expect, it } from 'vitest';
import { keyText } from './finding.ts';

const text = (key: Readonly<Record<string, string | null>>) => keyText({ link: 'l', kind: 'changed', key });

it('writes a key so that its parts cannot be taken for one another', () => {
  expect(text({ tenant_id: 'acme', id: '-7' })).toBe('changed tenant_id=acme id=-7');
  expect(text({ code: 'a "b" id=8', none: null, empty: '', word: 'NULL' })).toBe(
    'changed code="a \\"b\\" id=8" none=NULL empty="" word="NULL"',
  );
});
