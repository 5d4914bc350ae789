import { expect, it } from 'vitest';
import { catalogue, column, index, orders, type } from '../validation/checks/table/sample.ts';
import { schemaHash } from './schema-hash.ts';
import type { TableFacts, TypeFacts } from './table.ts';

const hash = (tables: readonly TableFacts[], types: readonly TypeFacts[] = []): string =>
  schemaHash(tables, catalogue([], types).types);

it('is the same on two servers whose tables are equal', () => {
  const there = orders({
    oid: 7,
    estimatedRows: -1,
    bytes: 0,
    columns: orders()
      .columns.toReversed()
      .map((one) => ({ ...one, number: one.number + 5, correlation: 1 })),
    indexes: [...orders().indexes, index('slow', ['note'], { unique: false })],
    triggers: [{ name: 'audit', enabled: 'O', timing: 'AFTER INSERT FOR EACH ROW' }],
  });
  expect(hash([there])).toBe(hash([orders()]));
  expect(hash([orders()])).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(hash([orders(), orders({ name: 'b' })])).toBe(hash([orders({ name: 'b' }), orders()]));
});

it.each<[string, Partial<TableFacts>]>([
  ['a column more', { columns: [...orders().columns, column('x', 'text')] }],
  ['another type', { columns: [...orders().columns.slice(0, 2), column('note', 'character varying(10)')] }],
  ['NOT NULL', { columns: [...orders().columns.slice(0, 2), column('note', 'text', { notNull: true })] }],
  ['another identity', { identity: 'full' }],
  ['other identity columns', { identityColumns: ['id'] }],
  ['another key', { primaryKey: ['id'] }],
  ['another leaf', { leaves: ['shop.orders_1'] }],
  ['another unique index', { indexes: [...orders().indexes, index('note_key', ['note'])] }],
  ['an ALWAYS trigger', { triggers: [{ name: 't', enabled: 'A', timing: '' }] }],
])('moves with %s', (_name, change) => {
  expect(hash([orders(change)])).not.toBe(hash([orders()]));
});

const table = (oid: number) => orders({ columns: [column('m', 'shop.mood', { typeOid: oid })] });
const mood = (oid: number, ...labels: string[]) => [type(oid, 'shop', 'mood', { kind: 'e', labels })];

it('moves with what a user-defined type is made of, by name and not by OID', () => {
  expect(hash([table(5)], mood(5, 'a'))).toBe(hash([table(6)], mood(6, 'a')));
  expect(hash([table(5)], mood(5, 'a', 'b'))).not.toBe(hash([table(5)], mood(5, 'a')));
});
