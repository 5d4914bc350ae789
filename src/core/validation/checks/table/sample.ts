/** Tables and links for tests of checks: a shop's orders as they should be, from which each test departs. */

import { configSchema, type ConfigInput } from '../../../config/schema.ts';
import { linksOf, type Link } from '../../../topology/link.ts';
import {
  tableName,
  type Catalogue,
  type ColumnFacts,
  type IndexFacts,
  type SequenceFacts,
  type TableFacts,
  type TypeFacts,
} from '../../../topology/table.ts';

const OIDS: Readonly<Record<string, number>> = {
  bigint: 20,
  integer: 23,
  text: 25,
  oid: 26,
  'shop.mood': 90_001,
};

export const column = (name: string, typeName: string, more: Partial<ColumnFacts> = {}): ColumnFacts => ({
  name,
  number: 1,
  typeOid: OIDS[typeName] ?? 99_999,
  typeName,
  typeModifier: -1,
  notNull: false,
  default: null,
  generated: 'none',
  identity: 'none',
  collation: null,
  correlation: null,
  ...more,
});

export const index = (
  name: string,
  columns: readonly string[],
  more: Partial<IndexFacts> = {},
): IndexFacts => ({
  name,
  columns,
  primary: false,
  unique: true,
  exclusion: false,
  immediate: true,
  partialOrExpression: false,
  valid: true,
  ...more,
});

/** shop.orders (tenant_id, id) primary key, note. */
export const orders = (more: Partial<TableFacts> = {}): TableFacts => ({
  oid: 1000,
  schema: 'shop',
  name: 'orders',
  kind: 'r',
  persistence: 'permanent',
  isPartition: false,
  leaves: [],
  columns: [
    column('tenant_id', 'text', { notNull: true }),
    column('id', 'bigint', { notNull: true }),
    column('note', 'text'),
  ],
  indexes: [index('orders_pkey', ['tenant_id', 'id'], { primary: true })],
  identity: 'default',
  identityColumns: ['tenant_id', 'id'],
  primaryKey: ['tenant_id', 'id'],
  triggers: [],
  foreignKeys: [],
  rowSecurity: false,
  estimatedRows: 1000,
  bytes: 65_536,
  ...more,
});

export const type = (
  oid: number,
  schema: string,
  name: string,
  more: Partial<TypeFacts> = {},
): TypeFacts => ({
  oid,
  schema,
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
  typeModifier: -1,
  ...more,
});

const BUILT_IN = [
  type(20, 'pg_catalog', 'int8'),
  type(23, 'pg_catalog', 'int4'),
  type(25, 'pg_catalog', 'text'),
  type(26, 'pg_catalog', 'oid'),
];

export const catalogue = (
  tables: readonly TableFacts[],
  types: readonly TypeFacts[] = [],
  sequences: readonly SequenceFacts[] = [],
): Catalogue => ({
  tables: new Map(tables.map((table) => [tableName(table), table])),
  types: new Map([...BUILT_IN, ...types].map((one) => [one.oid, one])),
  sequences,
});

/** Links of rule "shop" (shop.*) from us to eu for the given tenants; acme by tenant_id where none is given. */
export const links = (
  tenants: NonNullable<ConfigInput['tenants']> = {
    acme: { scope: { kind: 'column', column: 'tenant_id', value: 'acme' } },
  },
  rule: Partial<NonNullable<ConfigInput['rules']>[number]> = {},
): Link[] =>
  linksOf(
    configSchema.parse({
      schemaVersion: 1,
      controlPlane: 'test',
      registry: 'none',
      regions: { us: { zone: 'us' }, eu: { zone: 'eu' } },
      tenants,
      rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], ...rule }],
    }),
  );
