import { expect, test } from 'vitest';
import { isXcError } from '../errors/xc-error.ts';
import { parseConfiguration } from './parse.ts';

const mistakesIn = async (text: string): Promise<string[]> => {
  try {
    await parseConfiguration({ project: { name: 'x.yaml', path: '/x.yaml', text }, user: null, env: {} });
    return [];
  } catch (error) {
    if (!isXcError(error, 'XC-1002')) throw error;
    const found = error.facts['mistakes'] as { path: string; line: number }[];
    return found.map(({ path, line }) => `${line} ${path}`);
  }
};

const CONFIG = `schemaVersion: 1
controlPlane: acme
regions:
  a: { zone: us, postgres: { dsn: env:A } }
  b: { zone: eu, extra: 1 }
tenants:
  t: { scope: { kind: schema, schema: s } }
rules:
  - { id: x, tenants: [t], tables: [s.*], from: a, to: [c] }
  - { id: y, tenants: [u], tables: [s.*], from: a, to: [b], ddl: maybe }
  - { id: x, tenants: [u], tables: [s.*], from: a, to: [b] }
`;

test('what is wrong inside of parts and between them is told at once', async () => {
  expect(await mistakesIn(CONFIG)).toEqual([
    '5 regions.b.extra',
    '9 rules[0].to[0]',
    '10 rules[1].ddl',
    '11 rules[2].id',
    '11 rules[2].tenants[0]',
  ]);
});

test('a part that was refused gives no mistakes of its stand-in', async () => {
  expect(
    await mistakesIn(
      CONFIG.replace('c] }', 'b] }')
        .replaceAll('u]', 't]')
        .replace(
          '{ id: x, tenants: [t], tables: [s.*], from: a, to: [b] }\n  - { id: y',
          '{ id: w, tenants: [t], tables: [s.*], from: a, to: [b] }\n  - { id: y',
        ),
    ),
  ).toEqual(['5 regions.b.extra', '10 rules[1].ddl']);
});
