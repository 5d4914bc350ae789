/** Tenants that own a schema or a database: the first share the pair's stream, each of the others has its own. */

import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePair, type Pair } from '../harness/pair.ts';
import { openDatabase, withDatabase, type TestDatabase } from '../harness/test-database.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';

const TABLE = 'orders (id int PRIMARY KEY, v text, amount numeric)';
const schemas = (...names: readonly string[]): string =>
  names.map((name) => `CREATE SCHEMA ${name}; CREATE TABLE ${name}.${TABLE};`).join('\n');
const FILL = `INSERT INTO %.orders SELECT i, 'row ' || i, i / 7.0 FROM generate_series(1, 300) i`;

const SIDES = ['source', 'target'] as const;

let pair: Pair;
let umbra: string;
const databases = {} as Record<(typeof SIDES)[number], TestDatabase>;
beforeAll(async () => {
  pair = await makePair({ fixture: 'empty', sql: schemas('one', 'two', 'three') });
  umbra = `umbra_${pair.source.database}`;
  for (const side of SIDES) {
    await admin(side, `CREATE DATABASE ${umbra}`);
    databases[side] = openDatabase(pair[side].region, withDatabase(pair[side].dsn, umbra));
    await databases[side].query(schemas('shop'));
  }
  for (const schema of ['one', 'two', 'three']) await pair.source.query(FILL.replace('%', schema));
  await databases.source.query(FILL.replace('%', 'shop'));
  await pair.configure((config) => ({
    ...config,
    tenants: {
      one: { scope: { kind: 'schema', schema: 'one' } },
      two: { scope: { kind: 'schema', schema: 'two' } },
      umbra: { scope: { kind: 'database', database: umbra } },
    },
    rules: [
      {
        id: 'all',
        tenants: ['*'],
        tables: ['*.orders'],
        from: SOURCE_REGION,
        to: [TARGET_REGION],
        verify: 'full',
      },
    ],
  }));
});
afterAll(async () => {
  await pair.source.query(
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1',
    [umbra],
  );
  for (const side of SIDES) {
    await databases[side].close();
    await admin(side, `DROP DATABASE ${umbra} WITH (FORCE)`);
  }
  await pair[Symbol.asyncDispose]();
});

const admin = async (side: (typeof SIDES)[number], sql: string): Promise<void> => {
  const client = new Client({ connectionString: withDatabase(pair[side].dsn, 'postgres') });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
};

const run = (...more: readonly string[]) => pair.xcrepl(['replication', 'run', '-o', 'json', ...more]);

const slots = () =>
  pair.source.query<{ database: string; name: string }>(
    `SELECT database::text, slot_name::text AS name FROM pg_replication_slots
      WHERE database IN (current_database(), $1) ORDER BY database = $1`,
    [umbra],
  );

const expectSame = async (): Promise<void> => {
  for (const table of ['one.orders', 'two.orders'])
    expect(await tableDigest(pair.target, table), table).toEqual(await tableDigest(pair.source, table));
  expect(await tableDigest(databases.target, 'shop.orders')).toEqual(
    await tableDigest(databases.source, 'shop.orders'),
  );
  // Of a schema that is nobody's, nothing leaves.
  expect((await tableDigest(pair.target, 'three.orders')).rows).toBe(0);
};

test('init reaches every database of the region', async () => {
  const init = await pair.xcrepl(['init', '--region', TARGET_REGION, '-o', 'json']);
  expect(init.exitCode, init.stderr).toBe(0);
  const { databases: reached } = init.json() as { databases: { database: string }[] };
  expect(reached.map(({ database }) => database).toSorted()).toEqual(
    [pair.target.database, umbra].toSorted(),
  );
});

test('each pair of databases has one stream, and each tenant its own rows', async () => {
  const first = await run();
  expect(first.exitCode, first.stderr).toBe(0);
  await expectSame();
  expect((await slots()).map(({ database }) => database)).toEqual([pair.source.database, umbra]);
  expect(
    new Set((first.json() as { steps: { stream: string }[] }).steps.map(({ stream }) => stream)).size,
  ).toBe(2);
});

test('changes of all of them are streamed, TRUNCATE too', async () => {
  await pair.source
    .query(`UPDATE one.orders SET v = 'changed' WHERE id % 3 = 0; DELETE FROM two.orders WHERE id < 50;
                           UPDATE three.orders SET v = 'not for you'`);
  await databases.source.query(
    `INSERT INTO shop.orders VALUES (1000, 'new', 'NaN'); UPDATE shop.orders SET id = -id`,
  );
  const second = await run();
  expect(second.exitCode, second.stderr).toBe(0);
  await expectSame();
  await pair.source.query(`TRUNCATE one.orders, three.orders; INSERT INTO one.orders VALUES (1, 'after', 1)`);
  const third = await run('--tenant', 'one');
  expect(third.exitCode, third.stderr).toBe(0);
  await expectSame();
});

test('a tenant that goes takes its stream with it, and the others stay', async () => {
  const link = `all:umbra:${SOURCE_REGION}:${TARGET_REGION}`;
  const dropped = await pair.xcrepl([
    'replication',
    'drop',
    '--link',
    link,
    '--confirm',
    TARGET_REGION,
    '-o',
    'json',
  ]);
  expect(dropped.exitCode, dropped.stderr).toBe(0);
  expect((await slots()).map(({ database }) => database)).toEqual([pair.source.database]);
  expect((await tableDigest(databases.target, 'shop.orders')).rows).toBeGreaterThan(0);
  const more = await run('--tenant', 'two');
  expect(more.exitCode, more.stderr).toBe(0);
  const status = await pair.xcrepl(['replication', 'status', '-o', 'json']);
  expect(status.json()).toMatchObject({
    links: [
      { tenant: 'one', state: 'streaming' },
      { tenant: 'two', state: 'streaming' },
      { tenant: 'umbra', state: 'never-run' },
    ],
  });
});
