/** Names that SQL has to quote, in every place that a run has for them: none is left out without a word. */

import { expect, test } from 'vitest';
import { tableDigest } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { pairOf } from '../engine/empty-pair.ts';

const LONG = 'ü'.repeat(31) + 'x';
const SCHEMAS = ['a.b', 'With "Quote" é', 'a'];
const TABLES = ['b.c', '.', 'with space', 'UPPER', "it's", 'q"uote', '*', '!x', LONG, 'select'];

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const all = SCHEMAS.flatMap((schema) => TABLES.map((table) => `${quoted(schema)}.${quoted(table)}`));
const columns = `${quoted('i.d')} serial PRIMARY KEY, ${quoted('v "x" ü')} text, ${quoted(LONG)} int`;
const SQL = [
  ...SCHEMAS.map((schema) => `CREATE SCHEMA ${quoted(schema)}`),
  ...all.map((table) => `CREATE TABLE ${table} (${columns})`),
].join('; ');

/** One is left out by its rule, and one schema by every scope. */
const expected = (table: string): boolean => table !== '"a"."b.c"' && !table.startsWith('"With');

test('schemas, tables and columns of any name are planned, copied, streamed, carried and compared', async () => {
  const left = 'a."b.c"';
  await using pair = await pairOf(SQL, (config) => ({
    ...config,
    tenants: {
      all: { scope: { kind: 'schema', schema: 'a.b' } },
      rest: { scope: { kind: 'schema', schema: 'a' } },
    },
    rules: [
      { id: 'dotted', tenants: ['all'], tables: ['"a.b".*'], from: SOURCE_REGION, to: [TARGET_REGION] },
      {
        id: 'rest',
        tenants: ['rest'],
        tables: ['*.*', `!${left}`],
        from: SOURCE_REGION,
        to: [TARGET_REGION],
      },
    ],
  }));
  const write = (round: number): Promise<unknown> =>
    pair.source.query(
      all.map((table) => `INSERT INTO ${table} (${quoted('v "x" ü')}) VALUES ('${round}'), ('ß')`).join('; '),
    );
  await write(1);
  const run = async () => {
    const result = await pair.xcrepl(['replication', 'run', '-o', 'json']);
    expect(result.exitCode, result.stderr).toBe(0);
    return result.json() as { totals: { copiedRows: number; changes: number; verifiedRows: number } };
  };
  expect((await run()).totals.copiedRows).toBe(2 * all.filter(expected).length);
  await write(2);
  expect((await run()).totals).toMatchObject({ changes: 2 * all.filter(expected).length });
  for (const table of all.filter(expected))
    expect(await tableDigest(pair.target, table), table).toEqual(await tableDigest(pair.source, table));
  expect(await pair.target.query('SELECT FROM "a"."b.c"')).toEqual([]);
  // The sequence of a quoted table was carried along: the next number is a new one.
  const [next] = await pair.target.query<{ next: string }>(
    `SELECT nextval(pg_get_serial_sequence('"a.b"."b.c"', 'i.d'))::text AS next`,
  );
  expect(Number(next!.next)).toBeGreaterThan(4);
  await pair.target.query(`UPDATE "a.b"."with space" SET ${quoted(LONG)} = 7`);
  const verified = await pair.xcrepl([
    'replication',
    'verify',
    '--tables',
    '"a.b"."with space",a.*',
    '-o',
    'json',
  ]);
  expect(verified.exitCode, verified.stderr).toBe(6);
  const { tables } = verified.json() as { tables: { table: string; verdict: string }[] };
  expect(tables.filter(({ verdict }) => verdict === 'fail')).toMatchObject([{ table: '"a.b"."with space"' }]);
  expect(tables).toHaveLength(TABLES.length);
});
