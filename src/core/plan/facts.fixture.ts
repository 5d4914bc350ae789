/** Facts of a small shop on two regions, for tests: everything in order unless a test changes it. */

import { configSchema, type Config, type ConfigInput } from '../config/schema.ts';
import { lsnOf } from '../change/lsn.ts';
import { linksOf, slotName, streamsOf, type Stream } from '../topology/link.ts';
import type { Catalogue, ColumnFacts, TableFacts } from '../topology/table.ts';
import { tableName } from '../topology/table.ts';
import type { LinkRow, ReplicationFacts, SourceFacts, StreamFacts, TargetFacts } from './facts.ts';
import type { PlanWish } from './wish.ts';

export const column = (name: string, more: Partial<ColumnFacts> = {}): ColumnFacts => ({
  name,
  number: 1,
  typeOid: 25,
  typeName: 'text',
  typeModifier: -1,
  notNull: false,
  default: null,
  generated: 'none',
  identity: 'none',
  collation: null,
  correlation: null,
  ...more,
});

const uniqueIndex = (columns: readonly string[]): TableFacts['indexes'] =>
  columns.length === 0
    ? []
    : [
        {
          name: 'key',
          columns,
          primary: true,
          unique: true,
          exclusion: false,
          immediate: true,
          partialOrExpression: false,
          valid: true,
        },
      ];

/** Another for each name. */
export const oidOf = (name: string): number => Buffer.from(name).reduce((sum, byte) => sum * 31 + byte, 7);

export const table = (name: string, more: Partial<TableFacts> = {}): TableFacts => ({
  oid: oidOf(name),
  schema: 'shop',
  name,
  kind: 'r',
  persistence: 'permanent',
  isPartition: false,
  leaves: [],
  columns: ['tenant_id', 'id', 'note'].map((each, at) =>
    column(each, { number: at + 1, notNull: each !== 'note' }),
  ),
  indexes: uniqueIndex(more.primaryKey ?? ['tenant_id', 'id']),
  identity: 'default',
  identityColumns: ['tenant_id', 'id'],
  primaryKey: ['tenant_id', 'id'],
  triggers: [],
  foreignKeys: [],
  rowSecurity: false,
  estimatedRows: 1_000,
  bytes: 100_000,
  ...more,
});

export const catalogue = (...tables: readonly TableFacts[]): Catalogue => ({
  tables: new Map(tables.map((each) => [tableName(each), each])),
  types: new Map(),
  sequences: [],
});

export const tenants = (...names: readonly string[]): NonNullable<ConfigInput['tenants']> =>
  Object.fromEntries(
    names.map((name) => [name, { scope: { kind: 'column' as const, column: 'tenant_id', value: name } }]),
  );

export const config = (more: Partial<ConfigInput> = {}): Config =>
  configSchema.parse({
    schemaVersion: 1,
    controlPlane: 'acme',
    regions: { us: { zone: 'us', initialRole: 'primary' }, eu: { zone: 'eu' } },
    tenants: tenants('acme', 'beta'),
    rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'] }],
    ...more,
  } satisfies ConfigInput);

export const streams = (of: Config): Stream[] =>
  streamsOf(of.controlPlane, linksOf(of), { us: 'shop', eu: 'shop' });

export const wish = (of: Config, more: Partial<PlanWish> = {}): PlanWish => ({
  selected: new Set(linksOf(of).map((link) => link.id)),
  hashKeys: Object.keys(of.hashKeys),
  config: 'sha256:0',
  mode: 'live',
  ...more,
});

export interface Changes {
  readonly source?: Partial<SourceFacts>;
  readonly target?: Partial<TargetFacts>;
}

const SHOP = catalogue(table('customers'), table('orders'));

/** Of the first stream, before anything was copied. */
export const streamFacts = (stream: Stream, { source, target }: Changes = {}): StreamFacts => ({
  stream,
  source: {
    ...stream.source,
    systemIdentifier: '7000000000000000001',
    timeline: 1,
    version: 180_004,
    inRecovery: false,
    role: 'primary',
    catalogue: SHOP,
    currentLsn: lsnOf(5_000n),
    walLevel: 'logical',
    maxSlotWalKeepBytes: null,
    walBytesPerSecond: 1_000,
    slots: [],
    publications: [],
    scopedRows: new Map(),
    ...source,
  },
  target: {
    ...stream.target,
    systemIdentifier: '7000000000000000002',
    timeline: 1,
    version: 180_004,
    inRecovery: false,
    role: 'replica',
    catalogue: source?.catalogue ?? SHOP,
    schemaVersion: 1,
    epoch: 1,
    knownSource: null,
    links: [],
    checkpoints: [],
    copies: [],
    ...target,
  },
});

export const facts = (of: Config, changes: Changes = {}): ReplicationFacts => ({
  gatheredAtMs: 0,
  streams: streams(of).map((stream) => streamFacts(stream, changes)),
});

export const linkRow = (stream: Stream, link: string, more: Partial<LinkRow> = {}): LinkRow => ({
  link,
  stream: stream.key,
  slot: slotName(stream.key),
  state: 'streaming',
  takenOff: false,
  detail: {},
  ...more,
});

/** A stream that carries these links: its slot, its checkpoint, and publications that say exactly what they need. */
export const running = (
  stream: Stream,
  links: readonly string[],
  values: readonly string[],
  tables: readonly string[] = ['shop.customers', 'shop.orders'],
): { readonly source: Partial<SourceFacts>; readonly target: Partial<TargetFacts> } => ({
  source: {
    slots: [
      {
        name: slotName(stream.key),
        walStatus: 'reserved',
        confirmedFlush: lsnOf(4_000n),
        restart: lsnOf(3_000n),
        active: false,
      },
    ],
    publications: [
      {
        name: slotName(stream.key),
        publishes: { update: true },
        tables: tables.map((each) => ({ table: each, rowFilter: rowFilter(values), columns: null })),
      },
    ],
  },
  target: {
    knownSource: '7000000000000000001',
    links: links.map((link) => linkRow(stream, link)),
    checkpoints: [{ slot: slotName(stream.key), stream: stream.key, position: lsnOf(4_000n) }],
  },
});

/** The server's own text of a filter by tenant. */
export const rowFilter = (values: readonly string[]): string =>
  values.length === 1
    ? `(tenant_id = '${values[0]}'::text)`
    : `(tenant_id = ANY (ARRAY[${values.map((value) => `'${value}'::text`).join(', ')}]))`;
