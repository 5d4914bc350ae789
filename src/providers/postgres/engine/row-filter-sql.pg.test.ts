/** Row filters of many values on a real server: it takes them, lets the same rows through as a list, and says them back. */

import { expect, test } from 'vitest';
import { sameRowFilter } from '../../../core/plan/row-filter.ts';
import { tableName } from '../../../core/topology/table.ts';
import { makePair } from '../../../../test/harness/pair.ts';
import { literal } from '../quote.ts';
import { publish } from './publications.ts';

const numbers = Array.from({ length: 40 }, (_, at) => String((at - 20) * 3));
const words = ['', `O'Brien`, 'say "a"', 'back\\slash', 'é', '__proto__', 'a\tb', ...numbers];
const uuids = numbers.map((_, at) => `0188d5e0-c9a2-7bc1-a1b2-0000000000${String(at + 10)}`);

/** Type, values of the filter, others, and whether the server searches among them. */
const COLUMNS: readonly [
  type: string,
  values: readonly string[],
  others: readonly string[],
  searched: boolean,
][] = [
  ['text', words, ['acme', 'É', "o'brien"], true],
  ['varchar(40)', words, ['acme', ' '], true],
  ['int2', numbers, ['1', '-1'], true],
  ['int4', numbers, ['1', '-1', '2147483647'], true],
  ['int8', [...numbers, '9007199254740993'], ['9007199254740992', '4294967295'], true],
  ['uuid', uuids, ['0188d5e0-c9a2-7bc1-a1b2-000000000001'], true],
  ['char(5)', numbers, ['acme'], false],
  ['numeric', numbers, ['1'], false],
  ['text', numbers.slice(0, 3), ['acme'], false],
];

const name = (at: number): string => `f${at}`;

test('many values of a tenant column', async () => {
  const sql = COLUMNS.map(
    ([type], at) => `CREATE TABLE app.${name(at)} ("Tenant" ${type} PRIMARY KEY);`,
  ).join('\n');
  await using pair = await makePair({ fixture: 'empty', sql: `CREATE SCHEMA app; ${sql}` });
  await using client = await pair.source.connect();
  for (const [at, [, values, others]] of COLUMNS.entries())
    await client.query(
      `INSERT INTO app.${name(at)} VALUES ${[...values, ...others].map((value) => `(${literal(value)})`).join(', ')}`,
    );
  await publish(
    client,
    'xcrepl_s_filters',
    'insert, update, delete, truncate',
    COLUMNS.map(([, values], at) => ({
      table: tableName({ schema: 'app', name: name(at) }),
      filter: { column: 'Tenant', values },
      columns: null,
    })),
  );
  for (const [at, [type, values, others, searched]] of COLUMNS.entries()) {
    const [{ filter } = { filter: '' }] = await pair.source.query<{ filter: string }>(
      `SELECT pg_get_expr(prqual, prrelid) AS filter FROM pg_publication_rel WHERE prrelid = 'app.${name(at)}'::regclass`,
    );
    expect(filter.includes('jsonb'), type).toBe(searched);
    expect(sameRowFilter(filter, { column: 'Tenant', values }), type).toBe(true);
    expect(sameRowFilter(filter, { column: 'Tenant', values: [...values, ...others] }), type).toBe(false);
    const passed = await pair.source.query<{ rows: number }>(
      `SELECT count(*)::int AS rows FROM app.${name(at)} WHERE ${filter}`,
    );
    expect(passed, type).toEqual([{ rows: values.length }]);
  }
});
