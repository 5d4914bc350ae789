import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makePair, type Pair } from '../../../../test/harness/pair.ts';
import { connect } from '../connect.ts';
import { chooseHashing, type Hashing } from './hashing.ts';
import { rowHash } from './row-hash.ts';
import { prepareSession } from './session.ts';
import type { ComparedColumn } from './verify-table.ts';

/** Values of which no two are the same; beside them stand NULL and rows that differ in more than one column. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  bool: ['false', 'true'],
  int2: ['0', '1', '-1', '256'],
  int4: ['0', '1', '-1', '65536', '-65536'],
  // hashint8 folds its halves: 1 and 2^32, and -1 and the negative that folds like it, are one to it.
  int8: ['0', '1', '4294967296', '4294967297', '-1', '-4294967297', '8589934595'],
  // hash_numeric leaves out the sign.
  numeric: ['0', '1', '-1', '1.5', '-1.5', "'NaN'", "'Infinity'", "'-Infinity'"],
  float4: ['0', '1', '-1', "'NaN'", "'Infinity'"],
  float8: ['0', '1', '-1', '1e-300', "'NaN'", "'Infinity'", "'-Infinity'"],
  text: ["''", "' '", "'a'", "'A'", "'ä'", "repeat('x', 11)", "repeat('x', 12)", "repeat('x', 13)"],
  bytea: ["''", "'\\x00'", "'\\x0000'", "'\\x01'"],
  uuid: [
    "'00000000-0000-0000-0000-000000000000'",
    "'00000000-0000-0000-0000-000000000001'",
    "'01000000-0000-0000-0000-000000000000'",
  ],
  // 4,294,967,297 microseconds apart: timestamp_hash folds them to one. Later than 2240 a float8 cannot tell neighbours.
  timestamp: [
    "'2000-01-01'",
    "timestamp '2000-01-01' + interval '4294.967297 s'",
    "timestamp '2000-01-01' + interval '8589.934594 s'",
    "'9999-12-31 23:59:59.999999'",
    "'9999-12-31 23:59:59.999998'",
    "'1970-01-01'",
    "'infinity'",
    "'-infinity'",
    "'4713-01-01 BC'",
  ],
  timestamptz: ["'2000-01-01 00:00+00'", "'2000-01-01 01:00+00'", "'infinity'", "'-infinity'"],
  // interval_hash calls a month thirty days.
  interval: ["'1 mon'", "'30 days'", "'720 hours'"],
  date: ["'2000-01-01'", "'5874897-01-01'", "'infinity'", "'2000-01-02'"],
  // hash_array leaves out the dimensions.
  _int4: ["'{1,2,3,4}'", "'{{1,2},{3,4}}'", "'[0:3]={1,2,3,4}'", "'{}'"],
};

const column = (name: string, type: string, notNull = false): ComparedColumn => {
  const shape = { schema: 'pg_catalog', name: type, kind: 'plain', of: null, attributes: [] } as const;
  const side = { column: name, schema: 'pg_catalog', name: type, collation: null, notNull, shape };
  return { name, source: side, target: side, action: { kind: 'allow' } };
};

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ fixture: 'empty' });
});
afterAll(() => pair[Symbol.asyncDispose]());

const hashes = async (
  hashing: Hashing,
  types: readonly string[],
  rows: readonly (readonly string[])[],
  notNull = false,
): Promise<(string | null)[]> => {
  const columns = types.map((type, i) => column(`c${i}`, type, notNull));
  const unit = { columns, key: [], redacted: false } as unknown as Parameters<typeof rowHash>[0]['unit'];
  const sql = rowHash({ unit, side: 'source', range: [], seed: 'fedcba9876543210', hashing });
  const values = rows.map((row) => `(${row.map((value, i) => `(${value})::${types[i]}`).join(', ')})`);
  const names = types.map((_, i) => `c${i}`).join(', ');
  const found = await pair.source.query<{ h: string | null }>(
    `SELECT (${sql})::text AS h FROM (VALUES ${values.join(', ')}) AS t (${names})`,
  );
  return found.map(({ h }) => h);
};

const sum = async (hashing: Hashing, rows: readonly string[][]): Promise<bigint> =>
  (await hashes(hashing, ['int8', 'int4', 'text'], rows)).reduce((all, one) => all + BigInt(one!), 0n);

describe.each(['server', 'portable'] as const)('hashes of the kind %s', (hashing) => {
  test.each(Object.keys(VALUES))('tell values of %s apart, and NULL', async (type) => {
    const rows = ['NULL', ...VALUES[type]!].map((value) => ['1', value]);
    const found = await hashes(hashing, ['int4', type], rows);
    expect(new Set(found).size).toBe(rows.length);
    expect(found).not.toContain(null);
    expect(new Set(await hashes(hashing, ['int4', type], rows.slice(1), true)).size).toBe(rows.length - 1);
  });

  test('tell rows apart that hold the same values in other places', async () => {
    const types = ['text', 'text', 'int4'];
    const rows = ["'a','b',1", "'b','a',1", "'ab','',1", "'','ab',1", "NULL,'a',1", "'a',NULL,1"];
    const found = await hashes(
      hashing,
      types,
      rows.map((row) => row.split(',')),
    );
    expect(new Set(found).size).toBe(rows.length);
  });

  test('are another sum where two rows have swapped their values', async () => {
    const rows = [
      ['1', '10', "'x'"],
      ['2', '20', "'y'"],
    ];
    expect(await sum(hashing, rows.toReversed())).toBe(await sum(hashing, rows));
    expect(
      await sum(hashing, [
        ['1', '20', "'x'"],
        ['2', '10', "'y'"],
      ]),
    ).not.toBe(await sum(hashing, rows));
  });

  test('are never NULL, though a column that is NOT NULL may hold one that came before the constraint', async () => {
    const rows = [
      ['1', 'NULL'],
      ['2', 'NULL'],
    ];
    const found = await hashes(hashing, ['int4', 'text'], rows, true);
    expect(found).not.toContain(null);
    expect(new Set(found).size).toBe(2);
  });

  test.each([100, 101, 1600])('of %i columns', async (count) => {
    const types = Array.from({ length: count }, () => 'int8');
    const row = (last: string): string[] => [...types.slice(1).map(() => 'NULL'), last];
    expect(new Set(await hashes(hashing, types, [row('1'), row('2'), row('NULL')])).size).toBe(3);
  });
});

test('servers that hash alike use their own hashes, others sha256', async () => {
  await using stack = new AsyncDisposableStack();
  const [source, target] = await Promise.all(
    [pair.source, pair.target].map(async ({ dsn }) => {
      const client = await connect(dsn, { subject: 'verification' });
      stack.defer(() => client.end());
      await prepareSession(client);
      return client;
    }),
  );
  expect(await chooseHashing(source!, target!)).toBe('server');
  // What a server of another processor would answer: the same function with other results.
  await target!.query('SET default_transaction_read_only = off');
  await target!
    .query(`CREATE SCHEMA other; CREATE FUNCTION other.hashint4extended(int4, int8) RETURNS int8 IMMUTABLE
                       LANGUAGE sql AS 'SELECT pg_catalog.hashint4extended($1, $2) + 1'`);
  await target!.query('SET search_path = other, pg_catalog');
  expect(await chooseHashing(source!, target!)).toBe('portable');
});
