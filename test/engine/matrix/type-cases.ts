/** Types as columns beside a key, as all that a row is found by, and as the key itself. */

import type { Case } from './case.ts';
import * as edges from './type-edges.ts';
import type { Edges } from './type-edges.ts';

const rows = (set: Edges): number => Math.max(...Object.values(set).map(({ values }) => values.length));

const inserts = (table: string, set: Edges): string =>
  Array.from({ length: rows(set) }, (_, at) => {
    const given = Object.entries(set).filter(([, { values }]) => values[at] !== undefined);
    const columns = ['id', ...given.map(([name]) => name)].join(', ');
    return `INSERT INTO ${table} (${columns}) VALUES (${[at + 1, ...given.map(([, { values }]) => values[at])].join(', ')})`;
  }).join(';');

/** The values wander from row to row, become NULL and values again; rows come, go, and change their key. */
const wander = (table: string, set: Edges): string[] => {
  const names = Object.keys(set).join(', ');
  const count = rows(set);
  const others = (step: number): string =>
    `UPDATE ${table} AS t SET (${names}) = (SELECT ${names} FROM ${table} AS o WHERE o.id = (t.id + ${step}) % ${count} + 1) WHERE t.id <= ${count}`;
  return [
    others(0),
    `INSERT INTO ${table} SELECT id + 100, ${names} FROM ${table}`,
    `UPDATE ${table} SET (${names}) = ROW(${Object.keys(set)
      .map(() => 'NULL')
      .join(', ')}) WHERE id = 1`,
    others(1),
    `UPDATE ${table} SET id = id + 1000 WHERE id > 101`,
    `DELETE FROM ${table} WHERE id % 2 = 1`,
  ];
};

const columnsSql = (set: Edges): string =>
  Object.entries(set)
    .map(([name, { type }]) => `${name} ${type}`)
    .join(', ');

/** `types` stand in the case's own schema, before its tables. */
const byKey = (name: string, set: Edges, types = '', way: Case['way'] = 'set'): Case => ({
  name: `${name} beside a key`,
  schema: `${types} CREATE TABLE app.t (id int PRIMARY KEY, ${columnsSql(set)})`,
  remade: types !== '',
  tables: ['app.t'],
  before: inserts('app.t', set),
  changes: wander('app.t', set),
  way,
});

/** Some rows are there twice; the statements take what is copied from the first of them. */
const byValue = (name: string, set: Edges, types = ''): Case => ({
  ...byKey(name, set, types, 'ordered'),
  name: `${name} that rows are found by`,
  schema: `${types} CREATE TABLE app.t (id int, ${columnsSql(set)}); ALTER TABLE app.t REPLICA IDENTITY FULL`,
  before: `${inserts('app.t', set)}; INSERT INTO app.t SELECT * FROM app.t WHERE id = 2`,
  changes: wander('app.t', set).map((sql) =>
    sql.replace('o WHERE', 'o WHERE o.ctid = (SELECT min(ctid) FROM app.t AS m WHERE m.id = o.id) AND'),
  ),
});

const KEYS: Readonly<Record<string, Edges>> = {
  numbers: edges.NUMBERS,
  texts: edges.TEXTS,
  times: edges.TIMES,
  nets: edges.NETS,
  documents: edges.DOCUMENTS,
  ranges: edges.RANGES,
  structures: edges.STRUCTURES,
  arrays: edges.ARRAYS,
  system: edges.SYSTEM,
};

/** Types that no B-tree orders, and so no key can have. */
const UNORDERED = new Set([
  'xml',
  'json',
  'jsonpath',
  'xid',
  'cid',
  'json[]',
  'point[]',
  'box[]',
  'pg_snapshot',
  'txid_snapshot',
  'refcursor',
  'int2vector',
]);

const keyTable = (name: string): string => `app.key_${name}`;

/** A value of a key has at most 2,700 bytes in its index. */
const keyValues = (values: readonly string[]): string =>
  values
    .filter((value) => !value.includes('repeat('))
    .map((value) => `(${value})`)
    .join(', ');

const keyCase = (group: string, set: Edges): Case => {
  const columns = Object.entries(set).filter(([, { type }]) => !UNORDERED.has(type));
  return {
    name: `${group} as keys`,
    way: waysOf(set),
    schema: `${edges.USER_TYPES} ${columns.map(([name, { type }]) => `CREATE TABLE ${keyTable(name)} (k ${type} PRIMARY KEY, v int)`).join(';')}`,
    tables: columns.map(([name]) => keyTable(name)),
    before: columns
      .map(
        ([name, one]) =>
          `INSERT INTO ${keyTable(name)} SELECT k, row_number() OVER () FROM (SELECT DISTINCT k FROM (VALUES ${keyValues(one.values)}) AS v (k)) AS d`,
      )
      .join(';'),
    changes: columns.flatMap(([name]) => [
      `UPDATE ${keyTable(name)} SET v = v + 10`,
      `BEGIN; CREATE TEMP TABLE moved AS SELECT k, v FROM ${keyTable(name)} WHERE v IN (11, 12); DELETE FROM ${keyTable(name)} WHERE v = 12;
       UPDATE ${keyTable(name)} SET k = (SELECT k FROM moved WHERE v = 12) WHERE v = 11 AND EXISTS (SELECT FROM moved WHERE v = 12);
       INSERT INTO ${keyTable(name)} SELECT k, 99 FROM moved WHERE v = 11 AND EXISTS (SELECT FROM moved WHERE v = 12);
       UPDATE ${keyTable(name)} SET v = 100 WHERE v = 99; DROP TABLE moved; COMMIT`,
    ]),
  };
};

/**
 * Rows with domains that refuse some value go row by row, and so does a key that changes in a row with values that are
 * not sent.
 */
const waysOf = (set: Edges): Case['way'] =>
  set === edges.STRUCTURES || set === edges.LARGE ? 'ordered' : 'set';

/** The sets, and the types that their case needs. */
const VALUES: Readonly<Record<string, readonly [set: Edges, types?: string]>> = {
  numbers: [edges.NUMBERS],
  texts: [edges.TEXTS],
  'large values': [edges.LARGE],
  times: [edges.TIMES],
  'network addresses and bits': [edges.NETS],
  documents: [edges.DOCUMENTS],
  shapes: [edges.SHAPES],
  ranges: [edges.RANGES, edges.USER_TYPES],
  structures: [edges.STRUCTURES, edges.USER_TYPES],
  arrays: [edges.ARRAYS, edges.USER_TYPES],
  'numbers of the system': [edges.SYSTEM],
};

export const typeCases: readonly Case[] = [
  ...Object.entries(VALUES).map(([name, [set, types]]) => byKey(name, set, types, waysOf(set))),
  ...Object.entries(VALUES).map(([name, [set, types]]) => byValue(name, set, types)),
  ...Object.entries(KEYS).map(([group, set]) => keyCase(group, set)),
  {
    name: '1,600 columns, none beyond the key, and columns that were dropped',
    way: 'set',
    schema: `CREATE TABLE app.wide (id int PRIMARY KEY, ${Array.from({ length: 1599 }, (_, at) => `c${at} int2`).join(', ')});
      CREATE TABLE app.bare (id int PRIMARY KEY);
      CREATE TABLE app.gone (a int, id int PRIMARY KEY, b text, c int, d int);
      ALTER TABLE app.gone DROP COLUMN a, DROP COLUMN c; ALTER TABLE app.gone ADD e text DEFAULT 'e'`,
    onTarget: 'ALTER TABLE app.gone ADD g int; ALTER TABLE app.gone DROP COLUMN g, DROP COLUMN d, ADD d int',
    tables: ['app.wide', 'app.bare', 'app.gone'],
    before: `INSERT INTO app.wide (id, c0, c1598) SELECT g, g, -g FROM generate_series(1, 20) AS g;
      INSERT INTO app.bare SELECT generate_series(1, 20); INSERT INTO app.gone SELECT g, 'b' || g, g FROM generate_series(1, 20) AS g`,
    changes: [
      'UPDATE app.wide SET c700 = id WHERE id < 10; INSERT INTO app.wide (id) VALUES (99); DELETE FROM app.wide WHERE id = 4',
      'DELETE FROM app.bare WHERE id = 3; INSERT INTO app.bare VALUES (99); UPDATE app.bare SET id = 1000 WHERE id = 1',
      "UPDATE app.gone SET d = NULL, e = b WHERE id < 5; INSERT INTO app.gone VALUES (50, 'x', 1, NULL); UPDATE app.gone SET id = 60 WHERE id = 6",
    ],
  },
];

/** These make the stream that carries them one of text. */
const NAMED = "CREATE TYPE app.named_mood AS ENUM ('x'); CREATE TABLE app.named_k (id int);";
export const textCases: readonly Case[] = [
  { ...byKey('names of objects', edges.NAMED, NAMED), remade: false },
  { ...byValue('names of objects', edges.NAMED, NAMED), remade: false },
];
