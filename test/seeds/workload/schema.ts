/** Random tables: every kind of identity, many types, constraints and shapes; on the target with allowed differences. */

import type { SeededRandom } from '../../../fixtures/shop/random.ts';
import { KEY_TYPES, LARGE_TEXT, LONG_KEY, OWN_TYPES, TYPES, type ColumnType, type KeyType } from './types.ts';

/** Rows of this schema belong to one tenant, whatever they are. */
export const WHOLE_SCHEMA = 'app';
/** Rows of this one belong to the tenant that a column names. */
export const SHARED_SCHEMA = 'shared';
export const TENANT_COLUMN = 'tenant';
export const CARRIED_TENANTS: readonly string[] = ['acme', 'größe'];
/** Has rows and traffic, and no rule. */
export const STRANGER = 'stranger';
export const TENANTS: readonly string[] = [...CARRIED_TENANTS, STRANGER];

/**
 * key: by the primary key. index: by another unique index. full: by all columns, with a key. equal: by all columns,
 * without one. none: not at all, so that only inserts are carried.
 */
export type Identity = 'key' | 'index' | 'full' | 'equal' | 'none';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
}

export interface Table {
  /** With its schema, quoted where it must be. */
  readonly name: string;
  readonly identity: Identity;
  readonly shared: boolean;
  /** Empty where there is no key; without the tenant column. */
  readonly key: readonly { readonly name: string; readonly type: KeyType }[];
  readonly columns: readonly Column[];
  /** A column of small numbers that are unique, whose values move between rows. */
  readonly unique: 'no' | 'yes' | 'deferrable';
  /** Every column that both sides have, in the source's order. */
  readonly compared: readonly string[];
}

export interface Schema {
  readonly tables: readonly Table[];
  readonly sourceSql: string;
  readonly targetSql: string;
}

const MAX_TABLES = 7;
const MAX_COLUMNS = 7;

export const randomSchema = (random: SeededRandom): Schema => {
  const shapes = Array.from({ length: random.between(3, MAX_TABLES) }, (_, index) =>
    randomTable(random, index),
  );
  const schemas = `CREATE SCHEMA kinds; CREATE SCHEMA ${WHOLE_SCHEMA}; CREATE SCHEMA ${SHARED_SCHEMA}`;
  const sql = (types: readonly string[], side: 'source' | 'target'): string =>
    [schemas, ...types, ...shapes.map((shape) => shape[side])].join(';\n');
  return {
    tables: shapes.map(({ table }) => table),
    sourceSql: sql(OWN_TYPES, 'source'),
    targetSql: sql(OWN_TYPES.toReversed(), 'target'),
  };
};

interface Shape {
  readonly table: Table;
  readonly source: string;
  readonly target: string;
}

const IDENTITIES: readonly Identity[] = ['key', 'key', 'key', 'key', 'index', 'full', 'equal', 'none'];
const NAMES = ['plain', 'Größe "x"', 'select', 'a b', "it's"];

const randomTable = (random: SeededRandom, index: number): Shape => {
  const identity = random.pick(IDENTITIES);
  const shared = random.chance(0.4);
  const bare = `${random.pick(NAMES)} ${index}`;
  const name = `${shared ? SHARED_SCHEMA : WHOLE_SCHEMA}."${bare.replaceAll('"', '""')}"`;
  const hasKey = identity !== 'equal' && identity !== 'none';
  const key = hasKey ? randomKey(random) : [];
  const columns = Array.from({ length: random.between(hasKey ? 0 : 1, MAX_COLUMNS) }, (_, at) => ({
    name: random.chance(0.15) ? `Col "${at}"` : `c${at}`,
    type: random.pick(identity === 'equal' ? SMALL_TYPES : TYPES),
  }));
  const unique = hasKey && random.chance(0.35) ? random.pick(['yes', 'deferrable'] as const) : 'no';
  const extras = randomExtras(random, identity);
  const compared = [
    ...(shared ? [TENANT_COLUMN] : []),
    ...key.map((one) => one.name),
    ...columns.map((one) => one.name),
    ...(unique === 'no' ? [] : ['u']),
    ...extras.map((one) => one.name),
  ];
  const table: Table = { name, identity, shared, key, columns, unique, compared };
  const definitions = definitionsOf(table, extras);
  const partition = hasKey && unique === 'no' ? randomPartition(random, table) : null;
  const targetPartition = random.chance(0.7) ? partition : null;
  return {
    table,
    source: createSql(table, definitions, partition),
    target: createSql(table, targetDefinitions(random, definitions), targetPartition),
  };
};

/** Without equality, or with values that are equal and look different, one of equal rows cannot be told by hand. */
const SMALL_TYPES = TYPES.filter((type) => type !== LARGE_TEXT);

const randomKey = (random: SeededRandom): Table['key'] => {
  if (random.chance(0.08)) return [{ name: 'id', type: LONG_KEY }];
  const count = random.pick([1, 1, 1, 2, 3]);
  return Array.from({ length: count }, (_, at) => ({
    name: at === 0 ? 'id' : `key "${at}"`,
    type: random.pick(KEY_TYPES),
  }));
};

interface Extra {
  readonly name: string;
  readonly definition: string;
}

const randomExtras = (random: SeededRandom, identity: Identity): Extra[] => {
  const extras: Extra[] = [{ name: 'n', definition: 'int4' }];
  if (random.chance(0.3))
    extras.push({ name: 'twice', definition: 'int8 GENERATED ALWAYS AS (n::int8 * 2) STORED' });
  // FULL has every column, and a virtual one cannot be published: that is refused.
  if (identity !== 'full' && identity !== 'equal' && random.chance(0.15))
    extras.push({ name: 'shown', definition: `int8 GENERATED ALWAYS AS (n::int8 + 1) VIRTUAL` });
  if (identity !== 'equal' && identity !== 'none' && random.chance(0.25))
    extras.push({
      name: 'seq',
      definition: `int8 GENERATED ${random.pick(['ALWAYS', 'BY DEFAULT'])} AS IDENTITY`,
    });
  if (random.chance(0.3))
    extras.push({ name: 'filled', definition: `text NOT NULL DEFAULT 'of the source'` });
  return extras;
};

export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

const definitionsOf = (table: Table, extras: readonly Extra[]): string[] => [
  ...(table.shared ? [`${TENANT_COLUMN} text NOT NULL`] : []),
  ...table.key.map(({ name, type }) => `${ident(name)} ${type.name} NOT NULL`),
  ...table.columns.map(({ name, type }) => `${ident(name)} ${type.name}`),
  ...(table.unique === 'no' ? [] : ['u int4']),
  ...extras.map(({ name, definition }) => `${ident(name)} ${definition}`),
];

/** Another order, and columns of its own. */
const targetDefinitions = (random: SeededRandom, definitions: readonly string[]): readonly string[] => {
  if (random.chance(0.6)) return definitions;
  const own = random.chance(0.5) ? [`own_default text DEFAULT 'of the target'`, 'own_null int8'] : [];
  return [...own, ...definitions.toReversed()];
};

export const keyColumns = (table: Table): string =>
  [...(table.shared ? [TENANT_COLUMN] : []), ...table.key.map(({ name }) => ident(name))].join(', ');

interface Partition {
  readonly by: string;
  readonly parts: readonly string[];
}

const randomPartition = (random: SeededRandom, table: Table): Partition | null => {
  const [first] = table.key;
  if (!first || random.chance(0.75)) return null;
  const column = ident(first.name);
  if (random.chance(0.5)) {
    const count = random.between(2, 4);
    const parts = Array.from(
      { length: count },
      (_, at) => `FOR VALUES WITH (MODULUS ${count}, REMAINDER ${at})`,
    );
    return { by: `HASH (${column})`, parts };
  }
  if (first.type === LONG_KEY) return null; // its expression has a subquery, which no bound may have
  const at = first.type.of(String(random.between(10, 60)));
  return { by: `RANGE (${column})`, parts: [`FOR VALUES FROM (MINVALUE) TO (${at})`, 'DEFAULT'] };
};

const createSql = (table: Table, definitions: readonly string[], partition: Partition | null): string => {
  const primary =
    table.key.length === 0 || table.identity === 'index' ? [] : [`PRIMARY KEY (${keyColumns(table)})`];
  const unique = uniqueSql(table);
  const head = `CREATE TABLE ${table.name} (${[...definitions, ...primary, ...unique].join(', ')})`;
  const statements = [partition ? `${head} PARTITION BY ${partition.by}` : head];
  for (const [index, part] of (partition?.parts ?? []).entries())
    statements.push(
      `CREATE TABLE ${table.name.replace(/"$/, ` p${index}"`)} PARTITION OF ${table.name} ${part}`,
    );
  const names = [
    table.name,
    ...(partition?.parts ?? []).map((_, at) => table.name.replace(/"$/, ` p${at}"`)),
  ];
  for (const name of names) statements.push(...identitySql(table, name, name === table.name));
  for (const { name, type } of table.columns)
    if (type === LARGE_TEXT)
      statements.push(`ALTER TABLE ${table.name} ALTER ${ident(name)} SET STORAGE EXTERNAL`);
  return statements.join(';\n');
};

const uniqueSql = ({ unique, shared }: Table): string[] =>
  unique === 'no'
    ? []
    : [`UNIQUE (${shared ? `${TENANT_COLUMN}, ` : ''}u)${unique === 'deferrable' ? ' DEFERRABLE' : ''}`];

/** A partitioned table has no identity of its own: its leaves do. */
const identitySql = (table: Table, name: string, isRoot: boolean): string[] => {
  switch (table.identity) {
    case 'key':
      return [];
    case 'full':
    case 'equal':
      return [`ALTER TABLE ${name} REPLICA IDENTITY FULL`];
    case 'none':
      return isRoot ? [`ALTER TABLE ${name} REPLICA IDENTITY NOTHING`] : [];
    case 'index': {
      const index = `${name.split('."')[1]!.slice(0, -1)} ri`;
      const made = `CREATE UNIQUE INDEX "${index}" ON ${name} (${keyColumns(table)})`;
      return [made, `ALTER TABLE ${name} REPLICA IDENTITY USING INDEX "${index}"`];
    }
    default:
      return table.identity satisfies never;
  }
};
