/**
 * Takes all cases through one way of replication in one go: copied, streamed, or both across a restart. What arrived is
 * compared by the text of every value under fixed settings, which is independent of the product's own verification.
 */

import { expect } from 'vitest';
import type { Client } from 'pg';
import type { ConfigInput } from '../../../src/core/config/schema.ts';
import { makePair, type Pair, type PairOptions } from '../../harness/pair.ts';
import type { TestDatabase } from '../../harness/test-database.ts';
import { SOURCE_REGION, TARGET_REGION } from '../../servers/server-pair.ts';
import { initTarget } from '../test-engine.ts';
import type { Case } from './case.ts';

/** Writes what `app` stands for. */
export const schemaOf = (at: number): string => `c${at}`;
const inSchema = (at: number, sql: string): string => sql.replaceAll(/\bapp\b/g, schemaOf(at));

const ruleOf = (one: Case, at: number): NonNullable<ConfigInput['rules']>[number] => ({
  id: schemaOf(at),
  tenants: one.tenants ? one.tenants.map((value) => `${schemaOf(at)}-${value}`) : [schemaOf(at)],
  tables: (one.patterns ?? ['app.*']).map((pattern) => inSchema(at, pattern)),
  from: SOURCE_REGION,
  to: [TARGET_REGION],
});

const tenantsOf = (one: Case, at: number): ConfigInput['tenants'] =>
  one.tenants
    ? Object.fromEntries(
        one.tenants.map((value) => [
          `${schemaOf(at)}-${value}`,
          { scope: { kind: 'column', column: 'tenant', value } },
        ]),
      )
    : { [schemaOf(at)]: { scope: { kind: 'schema', schema: schemaOf(at) } } };

/** Settings of the databases that change how values are printed and read, others on each side. */
const SETTINGS = {
  source: [
    "DateStyle = 'German, DMY'",
    "IntervalStyle = 'sql_standard'",
    "TimeZone = 'Asia/Kathmandu'",
    'extra_float_digits = 0',
    "bytea_output = 'escape'",
    "xmloption = 'document'",
    'quote_all_identifiers = on',
    'standard_conforming_strings = off',
  ],
  target: [
    "DateStyle = 'SQL, MDY'",
    "IntervalStyle = 'iso_8601'",
    "TimeZone = 'America/St_Johns'",
    'extra_float_digits = -5',
    "bytea_output = 'hex'",
    "xmloption = 'document'",
    'array_nulls = off',
    'standard_conforming_strings = off',
    "search_path = 'pg_temp'",
  ],
} as const;

/** What the test itself writes and compares under. */
const FIXED = `SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC'; SET extra_float_digits = 3;
  SET bytea_output = 'hex'; SET xmloption = 'content'; SET array_nulls = on; SET standard_conforming_strings = on;
  SET quote_all_identifiers = off; SET search_path = 'pg_catalog'; SET lc_monetary = 'C'`;

/** A pair that has every case's tables. */
export const matrixPair = async (cases: readonly Case[], more: PairOptions = {}): Promise<Pair> => {
  const pair = await makePair({
    fixture: 'empty',
    sql: `CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION citext SCHEMA ext;
          CREATE EXTENSION btree_gist SCHEMA ext;
          ${cases.map(({ schema }, at) => inSchema(at, `CREATE SCHEMA app; ${schema}`)).join(';\n')}`,
    config: (config) => ({
      ...config,
      tenants: Object.assign({}, ...cases.map(tenantsOf)) as ConfigInput['tenants'],
      rules: cases.map(ruleOf),
    }),
    ...more,
  });
  for (const side of ['source', 'target'] as const)
    for (const setting of SETTINGS[side])
      await pair[side].query(`ALTER DATABASE "${pair[side].database}" SET ${setting}`);
  await initTarget(pair);
  const target = await fixed(pair.target);
  for (const [at, { schema, remade, onTarget }] of cases.entries()) {
    if (remade) await target.query(inSchema(at, `DROP SCHEMA app CASCADE; CREATE SCHEMA app; ${schema}`));
    if (onTarget) await target.query(inSchema(at, onTarget));
  }
  await target.end();
  return pair;
};

/** A session of the test's own, whatever the database's settings. */
export const fixed = async (db: TestDatabase): Promise<Client> => {
  const client = await db.connect();
  await client.query(FIXED);
  return client;
};

/** Writes at the source; keeps the sessions that cases name. */
export class Writer implements AsyncDisposable {
  readonly #db: TestDatabase;
  readonly #sessions = new Map<string, Promise<Client>>();

  constructor(db: TestDatabase) {
    this.#db = db;
  }

  async begin(cases: readonly Case[]): Promise<void> {
    for (const [at, { before }] of cases.entries()) if (before) await this.#run('', inSchema(at, before));
  }

  /** @param step the number of the case's change */
  async change(one: Case, at: number, step: number): Promise<void> {
    const [, name, sql] = /^(?:(\w+): )?([\s\S]*)$/.exec(one.changes[step]!)!;
    await this.#run(name === undefined ? '' : `${at} ${name}`, inSchema(at, sql!));
  }

  async #run(session: string, sql: string): Promise<void> {
    let client = this.#sessions.get(session);
    if (!client) this.#sessions.set(session, (client = fixed(this.#db)));
    try {
      await (await client).query(sql);
    } catch (error) {
      throw new Error(`${sql.slice(0, 300)}: ${String(error)}`, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#sessions.values()) await (await client).end();
  }
}

/** A text for each row: of all values, each as its type prints it, with NULL told from an empty text. */
const rowsOf = async (client: Client, table: string, one: Case, columns: string): Promise<string[]> => {
  const where = one.tenants ? `WHERE tenant IN (${one.tenants.map((value) => `'${value}'`).join(', ')})` : '';
  const { rows } = await client.query<{ row: string }>(
    `SELECT CASE WHEN length(r) > 2000 THEN length(r) || ' ' || md5(r) ELSE r END AS row
       FROM (SELECT ROW(${columns})::text AS r FROM ${table} AS t ${where}) AS x ORDER BY r COLLATE "C"`,
  );
  return rows.map(({ row }) => row);
};

/** Names and types of the columns that are compared, as SQL and as text. */
const columnsOf = async (client: Client, table: string): Promise<{ sql: string; types: string[] }> => {
  const { rows } = await client.query<{ name: string; type: string }>(
    `SELECT quote_ident(attname) AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    [table],
  );
  return {
    sql: rows.map(({ name }) => `t.${name}`).join(', '),
    types: rows.map(({ name, type }) => `${name} ${type}`).toSorted(),
  };
};

/** @param only the number of the one case to look at */
export const expectArrived = async (pair: Pair, cases: readonly Case[], only?: number): Promise<void> => {
  const [source, target] = [await fixed(pair.source), await fixed(pair.target)];
  try {
    for (const [at, one] of cases.entries())
      for (const name of only === undefined || only === at ? one.tables : []) {
        const table = inSchema(at, name);
        const columns = await columnsOf(source, table);
        const found = await rowsOf(target, table, one, columns.sql);
        const wanted = await rowsOf(source, table, one, columns.sql);
        expect.soft(found, `${one.name}: ${table}`).toEqual(wanted);
        if (!one.onTarget)
          expect.soft((await columnsOf(target, table)).types, one.name).toEqual(columns.types);
      }
  } finally {
    await source.end();
    await target.end();
  }
};

/** Rows of tenants that no link carries are on no target. */
export const expectNoStrangers = async (pair: Pair, cases: readonly Case[]): Promise<void> => {
  for (const [at, one] of cases.entries()) {
    if (!one.tenants || one.onTarget) continue;
    for (const table of one.tables.map((name) => inSchema(at, name)))
      expect(
        await pair.target.query(
          `SELECT tenant FROM ${table} WHERE tenant NOT IN (${one.tenants.map((value) => `'${value}'`).join(', ')})`,
        ),
        `${one.name}: ${table}`,
      ).toEqual([]);
  }
};
