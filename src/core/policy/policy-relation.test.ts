import { expect, test } from 'vitest';
import type { ColumnFacts, TableFacts, TypeFacts } from '../topology/table.ts';
import { policyRelation } from './policy-relation.ts';

const type = (oid: number, name: string, more: Partial<TypeFacts> = {}): [number, TypeFacts] => [
  oid,
  {
    oid,
    schema: 'pg_catalog',
    name,
    kind: 'b',
    category: 'S',
    elementOid: 0,
    baseOid: 0,
    rangeSubtypeOid: 0,
    attributes: [],
    hasBinary: true,
    strictDomain: false,
    labels: [],
    ...more,
  },
];
const types = new Map([
  type(1043, 'varchar'),
  type(90_001, 'short', { kind: 'd', baseOid: 1043, typeModifier: 44 }),
  type(90_002, 'shorter', { kind: 'd', baseOid: 90_001, typeModifier: -1 }),
]);
const column = (name: string, typeOid: number, more: Partial<ColumnFacts> = {}): ColumnFacts => ({
  name,
  number: 1,
  typeOid,
  typeName: name,
  typeModifier: -1,
  notNull: true,
  default: null,
  generated: 'none',
  identity: 'none',
  collation: null,
  correlation: null,
  ...more,
});
const table = (more: Partial<TableFacts>): TableFacts => ({
  oid: 1,
  schema: 'shop',
  name: 'customers',
  kind: 'r',
  persistence: 'permanent',
  isPartition: false,
  leaves: [],
  columns: [],
  indexes: [],
  identity: 'default',
  identityColumns: [],
  primaryKey: [],
  triggers: [],
  foreignKeys: [],
  rowSecurity: false,
  estimatedRows: 0,
  bytes: 0,
  ...more,
});

test('a limit set by a domain, however deep, is the limit that the policy sees', () => {
  const columns = [column('plain', 1043, { typeModifier: 104 }), column('a', 90_001), column('b', 90_002)];
  expect(
    policyRelation(table({ columns }), types).columns.map((one) => [one.typeName, one.typeModifier]),
  ).toEqual([
    ['varchar', 104],
    ['varchar', 44],
    ['varchar', 44],
  ]);
});

test('keys are the primary key and the identity index, not all columns of FULL; generated columns are left out', () => {
  const columns = [column('id', 1043), column('email', 1043), column('made', 1043, { generated: 'stored' })];
  const keys = (more: Partial<TableFacts>): string[] =>
    policyRelation(table({ columns, ...more }), types)
      .columns.filter((one) => one.isKey)
      .map((one) => one.name);
  expect(keys({ primaryKey: ['id'], identity: 'full', identityColumns: ['id', 'email'] })).toEqual(['id']);
  expect(keys({ primaryKey: ['id'], identity: 'index', identityColumns: ['email'] })).toEqual([
    'id',
    'email',
  ]);
  expect(policyRelation(table({ columns }), types).columns).toHaveLength(2);
});
