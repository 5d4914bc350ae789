/** Random changes of a schema while its tables are streamed, and what the schema is after each. */

import type { SeededRandom } from '../../../fixtures/shop/random.ts';
import { ident, WHOLE_SCHEMA, type Column, type Schema, type Table } from './schema.ts';
import { LARGE_TEXT, TYPES, type ColumnType } from './types.ts';

export interface SchemaChange {
  /** Of all transactions, how many are done when it comes. */
  readonly after: number;
  /** Done once more, it changes nothing or is refused: whoever lost the connection does not know. */
  readonly sql: string;
  /** Writes rows anew, which nothing sends. */
  readonly rewrites: boolean;
}

/** One change and the schema behind it. */
interface Step {
  readonly sql: string;
  readonly schema: Schema;
  readonly rewrites?: boolean;
  readonly created?: Table;
}

export interface Evolution {
  /** Tables that came. */
  readonly created: readonly Table[];
  readonly changes: readonly SchemaChange[];
  /** What the schema is when so many transactions are done. */
  readonly at: (done: number) => Schema;
  readonly last: Schema;
}

const MAX_CHANGES = 4;

export const evolve = (random: SeededRandom, schema: Schema, transactions: number): Evolution => {
  const times = Array.from({ length: random.between(1, MAX_CHANGES) }, () => random.between(0, transactions));
  const changes: SchemaChange[] = [];
  const created: Table[] = [];
  const shapes: { readonly from: number; readonly schema: Schema }[] = [{ from: 0, schema }];
  for (const [index, after] of times.toSorted((a, b) => a - b).entries()) {
    const step = randomStep(random, shapes.at(-1)!.schema, index);
    if (step === null) continue;
    changes.push({ after, sql: step.sql, rewrites: step.rewrites ?? false });
    if (step.created) created.push(step.created);
    shapes.push({ from: after, schema: step.schema });
  }
  return {
    changes,
    created,
    at: (done) => shapes.findLast(({ from }) => from <= done)!.schema,
    last: shapes.at(-1)!.schema,
  };
};

export const unchanged = (schema: Schema): Evolution => ({
  changes: [],
  created: [],
  at: () => schema,
  last: schema,
});

const randomStep = (random: SeededRandom, schema: Schema, index: number): Step | null => {
  const table = random.pick(schema.tables);
  const run = random.pick([add, add, drop, rename, retype, retype, label, loosen, newTable] as const);
  return run(random, schema, table, index) ?? add(random, schema, table, index);
};

const alter = (table: Table, what: string): string => `ALTER TABLE ${table.name} ${what}`;

const withTable = (schema: Schema, table: Table): Schema => ({
  ...schema,
  tables: schema.tables.map((one) => (one.name === table.name ? table : one)),
});

const withColumns = (
  schema: Schema,
  table: Table,
  columns: readonly Column[],
  compared: readonly string[],
): Schema => withTable(schema, { ...table, columns, compared });

/** Values that are the same whenever they are computed. */
const DEFAULTS: readonly (readonly [ColumnType, string | null])[] = [
  [one('int4'), '7'],
  [one('text'), `'größe'`],
  [one('timestamptz'), 'now()'],
  [one('numeric'), "'NaN'"],
];

function one(name: string): ColumnType {
  return TYPES.find((type) => type.name === name)!;
}

type Change = (random: SeededRandom, schema: Schema, table: Table, index: number) => Step | null;

const add: Change = (random, schema, table, index) => {
  const name = `${random.pick(['added', 'Added "x"'])} ${index}`;
  const plain = (): readonly [ColumnType, null] => [
    random.pick(TYPES.filter((one) => one !== LARGE_TEXT)),
    null,
  ];
  const [type, value] = random.chance(0.5) ? plain() : random.pick(DEFAULTS);
  const required = value !== null && random.chance(0.4);
  const definition = `${ident(name)} ${type.name}${value === null ? '' : ` DEFAULT ${value}`}${required ? ' NOT NULL' : ''}`;
  // A row may not have NULL where it is required, so that its values are left to the default.
  const columns = required ? table.columns : [...table.columns, { name, type }];
  return {
    sql: alter(table, `ADD COLUMN IF NOT EXISTS ${definition}`),
    schema: withColumns(schema, table, columns, [...table.compared, name]),
  };
};

const drop: Change = (random, schema, table) => {
  if (table.columns.length < 2) return null;
  const column = random.pick(table.columns);
  return {
    sql: alter(table, `DROP COLUMN IF EXISTS ${ident(column.name)}`),
    schema: withColumns(
      schema,
      table,
      table.columns.filter((other) => other !== column),
      table.compared.filter((name) => name !== column.name),
    ),
  };
};

const rename: Change = (random, schema, table, index) => {
  if (table.columns.length === 0) return null;
  const column = random.pick(table.columns);
  const name = `renamed ${index}`;
  return {
    sql: alter(table, `RENAME COLUMN ${ident(column.name)} TO ${ident(name)}`),
    schema: withColumns(
      schema,
      table,
      table.columns.map((other) => (other === column ? { name, type: other.type } : other)),
      table.compared.map((other) => (other === column.name ? name : other)),
    ),
  };
};

/** Of each pair, whether the rows are written anew. */
const WIDER: Readonly<Record<string, readonly [name: string, rewrites: boolean]>> = {
  int2: ['int4', true],
  int4: ['int8', true],
  'varchar(400)': ['text', false],
  'numeric(12,3)': ['numeric', false],
  float4: ['float8', true],
};

const retype: Change = (random, schema, table) => {
  const column = random.pick([...table.columns.filter(({ type }) => type.name in WIDER), null]);
  const wider = column && WIDER[column.type.name];
  if (!wider) return null;
  const [name, rewrites] = wider;
  const type = one(name);
  return {
    sql: alter(table, `ALTER COLUMN ${ident(column.name)} TYPE ${name}`),
    rewrites,
    schema: withColumns(
      schema,
      table,
      table.columns.map((other) => (other === column ? { name: column.name, type } : other)),
      table.compared,
    ),
  };
};

/** Every column of the type takes these values, too. */
const withValues = (schema: Schema, typeName: string, values: readonly string[]): Schema => ({
  ...schema,
  tables: schema.tables.map((table) => ({
    ...table,
    columns: table.columns.map((column) =>
      column.type.name === typeName ? { ...column, type: wider(column.type, values) } : column,
    ),
  })),
});

const wider = (type: ColumnType, values: readonly string[]): ColumnType => ({
  name: type.name,
  value: (random) => (random.chance(0.4) ? random.pick(values) : type.value(random)),
});

const label: Change = (random, schema, _, index) => {
  const place = random.pick(['', ` BEFORE 'sad'`, ` AFTER 'sad'`]);
  return {
    sql: `ALTER TYPE kinds.mood ADD VALUE IF NOT EXISTS 'new ${index}'${place}`,
    schema: withValues(withValues(schema, 'kinds.mood', [`'new ${index}'`]), 'kinds.mood[]', [
      `'{"new ${index}",sad}'`,
    ]),
  };
};

const loosen: Change = (_, schema) => ({
  sql: 'ALTER DOMAIN kinds.positive DROP CONSTRAINT IF EXISTS positive_check',
  schema: withValues(schema, 'kinds.positive', ['0', '-5']),
});

/** Of the schema that is carried whole, where there is a rule for it; it has rows before anybody has seen it. */
const newTable: Change = (_, schema, { shared }, index) => {
  if (shared) return null;
  const name = `${WHOLE_SCHEMA}."new ${index}"`;
  return {
    sql: `CREATE TABLE IF NOT EXISTS ${name} (id int PRIMARY KEY, v text); INSERT INTO ${name} SELECT g, 'v' || g FROM generate_series(1, 20) AS g ON CONFLICT DO NOTHING`,
    schema,
    created: { name, identity: 'key', shared, key: [], columns: [], unique: 'no', compared: ['id', 'v'] },
  };
};
