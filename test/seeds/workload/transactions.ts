/** Random transactions over a random schema: the same seed gives the same statements. */

import type { SeededRandom } from '../../../fixtures/shop/random.ts';
import { ident, keyColumns, TENANT_COLUMN, TENANTS, type Schema, type Table } from './schema.ts';
import { LARGE_TEXT, LONG_KEY } from './types.ts';

export interface Transaction {
  readonly statements: readonly string[];
  readonly end: 'commit' | 'rollback' | 'prepare and commit' | 'prepare and roll back';
}

/** Rows of a table by number; the keys follow from it. Few, so that the same row changes often. */
const ROWS = 60;
/** Numbers of rows that large transactions write begin here. */
const FIRST_LARGE = 1_000;
const LARGE_ROWS = 3_000;
/** Values of `n`, by which many rows are chosen at once. */
const GROUPS = 20;

const MAX_STATEMENTS = 6;

export const randomTransaction = (random: SeededRandom, schema: Schema): Transaction => {
  const statements: string[] = [];
  for (let left = random.between(1, MAX_STATEMENTS); left > 0; left--) {
    const some = operation(random, random.pick(schema.tables));
    if (!random.chance(0.12)) statements.push(...some);
    else {
      const undo = random.chance(0.5) ? 'ROLLBACK TO SAVEPOINT one' : 'RELEASE SAVEPOINT one';
      statements.push('SAVEPOINT one', ...some, undo);
    }
  }
  const [weight] = [random.next()];
  const end =
    weight < 0.06
      ? 'rollback'
      : weight < 0.12
        ? 'prepare and commit'
        : weight < 0.14
          ? 'prepare and roll back'
          : 'commit';
  return { statements, end };
};

type Operation = (random: SeededRandom, table: Table) => readonly string[];

/** Rows that are there before anything runs. */
export const firstRows = (random: SeededRandom, { tables }: Schema): readonly string[] =>
  tables.flatMap((table) => {
    const rows = Array.from({ length: random.between(0, ROWS / 2) }, () => insertSome(random, table));
    return [...rows.flat(), ...(random.chance(0.4) ? insertMany(random, table) : [])];
  });

/** A change of every row, and a new row where rows cannot be changed: whatever a table got last, it is needed now. */
export const touches = (random: SeededRandom, { tables }: Schema): readonly string[] =>
  tables.flatMap((table) =>
    table.identity === 'none' ? insertSome(random, table) : [`UPDATE ${table.name} SET n = n`],
  );

const insertSome: Operation = (random, table) => {
  const columns = insertedColumns(table);
  const rows = Array.from({ length: random.between(1, 3) }, () => {
    const n = random.between(1, ROWS);
    return `(${rowValues(random, table, String(n)).join(', ')})`;
  });
  return [`INSERT INTO ${table.name} (${columns.join(', ')}) VALUES ${rows.join(', ')}${onConflict(table)}`];
};

const insertMany: Operation = (random, table) => {
  const isLong = table.key.some(({ type }) => type === LONG_KEY);
  const first = FIRST_LARGE + random.between(0, 5) * LARGE_ROWS;
  const last = first + random.between(20, isLong ? 60 : LARGE_ROWS);
  const values = rowValues(random, table, 'g', true);
  return [
    `INSERT INTO ${table.name} (${insertedColumns(table).join(', ')}) SELECT ${values.join(', ')} FROM generate_series(${first}, ${last}) AS g${onConflict(table)}`,
  ];
};

const insertedColumns = (table: Table): string[] => [
  ...(table.shared ? [TENANT_COLUMN] : []),
  ...table.key.map(({ name }) => ident(name)),
  ...table.columns.map(({ name }) => ident(name)),
  ...(table.unique === 'no' ? [] : ['u']),
  'n',
];

/** Expressions in the order of insertedColumns, for the row of number `n`. */
const rowValues = (random: SeededRandom, table: Table, n: string, isMany = false): string[] => [
  ...(table.shared ? [tenant(random)] : []),
  ...table.key.map(({ type }) => type.of(n)),
  ...table.columns.map(({ type }) => (isMany && type === LARGE_TEXT ? 'NULL' : valueOf(random, type))),
  ...(table.unique === 'no' ? [] : [n]),
  `(${n}) % ${GROUPS}`,
];

const tenant = (random: SeededRandom): string => `'${random.pick(TENANTS)}'`;

const valueOf = (random: SeededRandom, type: Table['columns'][number]['type']): string =>
  random.chance(0.15) ? 'NULL' : `(${type.value(random)})::${type.name}`;

const onConflict = (table: Table): string =>
  table.key.length === 0 ? '' : ` ON CONFLICT (${keyColumns(table)}) DO NOTHING`;

const whereRow = (random: SeededRandom, table: Table): string => {
  const n = String(random.between(1, ROWS));
  return table.key.length === 0
    ? oneOfEqual(random, table)
    : [
        ...(table.shared ? [`${TENANT_COLUMN} = ${tenant(random)}`] : []),
        ...table.key.map(({ name, type }) => `${ident(name)} = ${type.of(n)}`),
      ].join(' AND ');
};

const oneOfEqual = (random: SeededRandom, table: Table): string =>
  `ctid = ANY (ARRAY(SELECT ctid FROM ${table.name} WHERE n = ${random.between(0, GROUPS - 1)} LIMIT ${random.between(1, 2)}))`;

const whereMany = (random: SeededRandom): string => `n % ${GROUPS / 4} = ${random.between(0, 4)}`;

const update: Operation = (random, table) => {
  const many = random.chance(0.1);
  const chosen = table.columns.filter(({ type }) => random.chance(0.4) && !(many && type === LARGE_TEXT));
  const sets = chosen.map(({ name, type }) => `${ident(name)} = ${valueOf(random, type)}`);
  const all = [...sets, `n = ${random.between(0, GROUPS - 1)}`];
  return [
    `UPDATE ${table.name} SET ${all.join(', ')} WHERE ${many ? whereMany(random) : whereRow(random, table)}`,
  ];
};

/** The row keeps its values, large ones among them, under another key; for shared tables also another tenant. */
const moveKey: Operation = (random, table) => {
  const n = String(random.between(1, ROWS));
  const sets = table.key
    .filter(() => random.chance(0.7))
    .map(({ name, type }) => `${ident(name)} = ${type.of(n)}`);
  if (table.shared && random.chance(0.4)) sets.push(`${TENANT_COLUMN} = ${tenant(random)}`);
  return sets.length === 0
    ? []
    : [`UPDATE ${table.name} SET ${sets.join(', ')} WHERE ${whereRow(random, table)}`];
};

const remove: Operation = (random, table) => [
  `DELETE FROM ${table.name} WHERE ${random.chance(0.1) ? whereMany(random) : whereRow(random, table)}`,
];

/** Within one transaction, and so by a detour or past the end of the statement. */
const swap: Operation = (random, table) => {
  if (table.unique === 'no') return [];
  const [a, b] = [random.between(1, ROWS), random.between(1, ROWS)];
  if (table.unique === 'deferrable')
    return [
      'SET CONSTRAINTS ALL DEFERRED',
      `UPDATE ${table.name} SET u = CASE u WHEN ${a} THEN ${b} ELSE ${a} END WHERE u IN (${a}, ${b})`,
    ];
  return [
    `UPDATE ${table.name} SET u = -${a} WHERE u = ${a}`,
    `UPDATE ${table.name} SET u = ${a} WHERE u = ${b}`,
    `UPDATE ${table.name} SET u = ${b} WHERE u = -${a}`,
  ];
};

const truncate: Operation = (random, table) => [
  `TRUNCATE ${table.name}${random.pick(['', ' RESTART IDENTITY', ' CASCADE'])}`,
];

const message: Operation = (random) => [
  `SELECT pg_logical_emit_message(${random.chance(0.5)}, 'app', 'said ${random.between(1, 99)}')`,
];

const nothing: Operation = () => ['SELECT 1'];

const OPERATIONS: readonly (readonly [weight: number, run: Operation])[] = [
  [30, insertSome],
  [3, insertMany],
  [28, update],
  [10, moveKey],
  [14, remove],
  [10, swap],
  [1, truncate],
  [2, message],
  [2, nothing],
];

/** What a table without any identity takes. */
const INSERTS: typeof OPERATIONS = [
  [30, insertSome],
  [3, insertMany],
  [2, nothing],
];

const operation = (random: SeededRandom, table: Table): readonly string[] => {
  const from = table.identity === 'none' ? INSERTS : OPERATIONS;
  let left = random.between(
    1,
    from.reduce((sum, [weight]) => sum + weight, 0),
  );
  for (const [weight, run] of from) if ((left -= weight) <= 0) return run(random, table);
  throw new RangeError('a weight beyond the total');
};
