/** TRUNCATE between the snapshots of a copy that was cut short, and while a copy reads. */

import { describe, expect, test } from 'vitest';
import { connect, disconnect } from '../../src/providers/postgres/connect.ts';
import { lookAtSource } from '../../src/providers/postgres/status.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { digests } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { initTarget, openTestEngine } from './test-engine.ts';

const never = new AbortController().signal;
const ROWS = 4_000;

const TABLES = ['app.whole', 'app.parts'];
const SQL = `
  CREATE SCHEMA app;
  CREATE TABLE app.whole (tenant text NOT NULL, id int NOT NULL, v text, PRIMARY KEY (tenant, id));
  CREATE TABLE app.parts (tenant text NOT NULL, id int NOT NULL, v text, PRIMARY KEY (tenant, id));`;

const scopes = {
  schema: { kind: 'schema', schema: 'app' },
  column: { kind: 'column', column: 'tenant', value: 'acme' },
} as const;

const withScope = async (scope: keyof typeof scopes): Promise<Pair> => {
  const pair = await makePair({
    fixture: 'empty',
    sql: SQL,
    config: (config) => ({
      ...config,
      tenants: { acme: { scope: scopes[scope] } },
      rules: [
        {
          id: 'app',
          tenants: ['acme'],
          tables: ['app.*'],
          tier: 'warm',
          mode: 'active-passive',
          from: SOURCE_REGION,
          to: [TARGET_REGION],
        },
      ],
    }),
  });
  await initTarget(pair);
  await fill(pair, 'before');
  return pair;
};

const fill = async (pair: Pair, v: string, rows = ROWS): Promise<void> => {
  for (const table of TABLES)
    await pair.source.query(
      `INSERT INTO ${table} SELECT 'acme', i, '${v}' FROM generate_series(1, ${rows}) AS i`,
    );
  await pair.source.query(`ANALYZE ${TABLES.join(', ')}`);
};

describe.each(['schema', 'column'] as const)('a tenant that is a %s', (scope) => {
  test('TRUNCATE between two snapshots takes what was copied before it, and nothing that was copied after', async () => {
    await using pair = await withScope(scope);
    {
      const stop = new AbortController();
      let chunks = 0;
      const copied = (): void => {
        if (++chunks === 2) stop.abort();
      };
      await using first = await openTestEngine(pair, {
        copyWorkers: 1,
        progress: { copied, streamed() {}, applied() {}, retained() {}, note() {} },
      });
      await first.engine.acquire();
      await first.publish();
      await first.createSlot();
      const parts = (await first.copySteps(5)).filter((step) => step.table === 'app.parts');
      await expect(first.engine.copyTable(parts[0]!, stop.signal)).rejects.toMatchObject({
        name: 'AbortError',
      });
    }
    const left = await pair.target.query<{ n: number }>('SELECT count(*)::int AS n FROM app.parts');
    expect(left[0]!.n).toBeGreaterThan(0);
    await pair.source.query(`UPDATE app.parts SET v = 'never seen again'`);
    await pair.source.query(`TRUNCATE ${TABLES.join(', ')}`);
    await fill(pair, 'between', ROWS / 2);
    await using second = await openTestEngine(pair);
    await second.engine.acquire();
    for (const step of await second.copySteps(5)) await second.engine.copyTable(step, never);
    await pair.source.query(`UPDATE app.whole SET v = 'after' WHERE id % 2 = 0`);
    await second.catchUp();
    expect(await digests(pair.target, TABLES)).toEqual(await digests(pair.source, TABLES));
    expect((await digests(pair.target, TABLES))['app.parts']?.rows).toBe(ROWS / 2);
  });

  test('TRUNCATE beside a copy that is over its table goes through, and the copy to its end', async () => {
    await using pair = await withScope(scope);
    await using engine = await openTestEngine(pair);
    await engine.engine.acquire();
    await engine.publish();
    await engine.createSlot();
    for (const step of await engine.copySteps(5)) await engine.engine.copyTable(step, never);
    await pair.source.query(`SET lock_timeout = '20s'; TRUNCATE ${TABLES.join(', ')}`);
    await fill(pair, 'after', 10);
    await engine.catchUp();
    expect(await digests(pair.target, TABLES)).toEqual(await digests(pair.source, TABLES));
  });
});

test('an old snapshot is shown, and exchanged before the next table', async () => {
  await using pair = await withScope('schema');
  await using held = await openTestEngine(pair, { renewSnapshotMs: 0, run: 'rn_01' });
  await held.engine.acquire();
  await held.publish();
  await held.createSlot();
  const looks = async () => {
    const client = await connect(pair.source.dsn, { subject: SOURCE_REGION });
    try {
      return [...((await lookAtSource(client, SOURCE_REGION)).snapshots ?? [])];
    } finally {
      await disconnect(client);
    }
  };
  expect(await looks()).toEqual([['rn_01', { ageMs: expect.any(Number), transactions: expect.any(Number) }]]);
  const [first, second] = await held.copySteps(1);
  await held.engine.copyTable(first!, never);
  await pair.source.query('SELECT pg_current_xact_id()');
  await pair.source.query(
    `UPDATE app.whole SET v = 'between' WHERE id = 1; UPDATE app.parts SET v = 'between' WHERE id = 1`,
  );
  await held.engine.copyTable(second!, never);
  const [read] = await pair.target.query<{ n: number }>(
    'SELECT count(DISTINCT snapshot)::int AS n FROM xcrepl.copy_chunks',
  );
  expect(read!.n).toBe(2);
  await held.catchUp();
  expect(await looks()).toEqual([]);
  expect(await digests(pair.target, TABLES)).toEqual(await digests(pair.source, TABLES));
});
