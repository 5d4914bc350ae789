/** Links change their stream when their rule is made dedicated, and back: under traffic, killed on the way, nothing lost. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePair, type Pair } from '../harness/pair.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { differing, manyTenants, slotsOf, tenantNames } from '../engine/many-links.ts';

const TENANTS = tenantNames(4);

let pair: Pair;
const writing = new AbortController();
let written: Promise<void>;
beforeAll(async () => {
  pair = await makePair({
    fixture: 'empty',
    sql: 'CREATE SCHEMA app; CREATE TABLE app.items (tenant text, id int, v int NOT NULL, PRIMARY KEY (tenant, id))',
    config: rules(),
  });
  await pair.source.query(
    `INSERT INTO app.items SELECT 't' || lpad(t::text, 2, '0'), i, 0 FROM generate_series(1, 4) t, generate_series(1, 20) i`,
  );
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  await runOnce();
  written = write();
});
afterAll(async () => {
  writing.abort();
  await written;
  await pair[Symbol.asyncDispose]();
});

/** Two rules, of which some are dedicated. */
const rules =
  (...dedicated: readonly string[]) =>
  (config: Parameters<ReturnType<typeof manyTenants>>[0]) => {
    const base = manyTenants(TENANTS)(config);
    const rule = { ...base.rules![0]!, verify: 'off' as const };
    return {
      ...base,
      rules: [
        { ...rule, id: 'calm', tenants: ['t01', 't02', 't03'], dedicated: dedicated.includes('calm') },
        { ...rule, id: 'busy', tenants: ['t04'], dedicated: dedicated.includes('busy') },
      ],
    };
  };

const write = async (): Promise<void> => {
  await using client = await pair.source.connect();
  for (let id = 100; !writing.signal.aborted; id++) {
    await client.query(`BEGIN; UPDATE app.items SET v = v + 1 WHERE id = 1 + floor(random() * 20);
      INSERT INTO app.items SELECT DISTINCT tenant, ${id}, 1 FROM app.items; COMMIT`);
    await sleep(30);
  }
};

const runOnce = async (exit = 0) => {
  const run = await pair.xcrepl(['replication', 'run', '--lock-timeout', '60s', '-o', 'json']);
  expect(run.exitCode, run.stderr).toBe(exit);
  return run.json() as { steps: { kind: string }[]; totals: { copiedRows: number } };
};

const slotNames = async (): Promise<string> => {
  const rows = await pair.source.query(
    'SELECT slot_name::text AS name FROM pg_replication_slots WHERE database = current_database() ORDER BY 1',
  );
  return JSON.stringify(rows);
};

/** How many links each stream has, and that every slot there is belongs to one of them. */
const streams = async (): Promise<Record<string, string>> => {
  const rows = await pair.target.query<{ stream: string; tenants: string }>(
    `SELECT stream, string_agg(tenant, ' ' ORDER BY tenant) AS tenants FROM xcrepl.links
      WHERE slot = 'xcrepl_s_' || stream GROUP BY 1 ORDER BY 2`,
  );
  expect(await slotsOf(pair)).toEqual(rows.map(({ stream }) => `xcrepl_s_${stream}`).toSorted());
  const names = await pair.source.query<{ name: string }>(
    'SELECT pubname AS name FROM pg_publication ORDER BY 1',
  );
  expect(names.map(({ name }) => name)).toEqual(rows.map(({ stream }) => `xcrepl_s_${stream}`).toSorted());
  return Object.fromEntries(rows.map(({ tenants, stream }) => [tenants, stream]));
};

/** What was written before it began is there afterwards. */
const expectCaughtUp = async (): Promise<void> => {
  const [mark] = await pair.source.query<{ id: number }>('SELECT max(id) AS id FROM app.items');
  await runOnce();
  for (const tenant of TENANTS) {
    const [seen] = await pair.target.query<{ n: number; id: number }>(
      'SELECT count(*)::int AS n, max(id) AS id FROM app.items WHERE tenant = $1',
      [tenant],
    );
    expect(seen!.id, tenant).toBeGreaterThanOrEqual(mark!.id);
    // Every id from 1 to 20 and from 100 on: a hole is a lost transaction.
    expect(seen!.n, tenant).toBe(20 + seen!.id - 99);
  }
};

/** A table of every tenant that comes later than the links; what is added to it is on the target when they have changed over. */
const later = {
  add: (ids: readonly [number, number]) =>
    pair.source.query(`INSERT INTO app.later SELECT t, i FROM unnest(ARRAY['${TENANTS.join("','")}']) t,
      generate_series(${ids[0]}, ${ids[1]}) i`),
  counts: async () => {
    const rows = await pair.target.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM app.later GROUP BY tenant ORDER BY tenant',
    );
    return rows.map(({ n }) => n);
  },
};

test('one rule goes onto a stream of its own, and comes back', async () => {
  const shared = (await streams())['t01 t02 t03 t04'];
  for (const side of [pair.source, pair.target])
    await side.query('CREATE TABLE app.later (tenant text, id int, PRIMARY KEY (tenant, id))');
  await later.add([1, 10]);
  await runOnce();
  expect(await later.counts()).toEqual([10, 10, 10, 10]);
  await pair.configure(rules('busy'));
  // One more comes at the same time: it joins once its link has changed over.
  for (const side of [pair.source, pair.target])
    await side.query('CREATE TABLE app.newest (tenant text, id int, PRIMARY KEY (tenant, id))');
  await pair.source.query(`INSERT INTO app.newest SELECT 't04', i FROM generate_series(1, 5) i`);
  const split = await runOnce(3);
  expect(split.steps.map(({ kind }) => kind)).toContain('move-links');
  expect(split.totals.copiedRows).toBe(0);
  await later.add([11, 15]);
  const apart = await streams();
  expect(Object.keys(apart)).toEqual(['t01 t02 t03', 't04']);
  expect(apart['t01 t02 t03']).toBe(shared);
  await expectCaughtUp();
  const status = await pair.xcrepl(['replication', 'status', '-o', 'json']);
  expect((status.json() as { links: { state: string }[] }).links.map(({ state }) => state)).toEqual(
    TENANTS.map(() => 'streaming'),
  );
  await pair.configure(rules());
  const merged = await runOnce();
  expect(merged.steps.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['move-links', 'merge-links']));
  expect(merged.totals.copiedRows).toBe(0);
  expect(Object.keys(await streams())).toEqual(['t01 t02 t03 t04']);
  await later.add([16, 20]);
  await pair.source.query(`INSERT INTO app.newest SELECT 't04', i FROM generate_series(6, 9) i`);
  await expectCaughtUp();
  expect(await later.counts()).toEqual([20, 20, 20, 20]);
  expect(await pair.target.query('SELECT count(*)::int AS n, sum(id)::int AS s FROM app.newest')).toEqual([
    { n: 9, s: 45 },
  ]);
});

test('all of them go: the shared stream goes with them, and is made again when they come back', async () => {
  await pair.configure(rules('calm', 'busy'));
  await runOnce();
  expect(Object.keys(await streams())).toEqual(TENANTS);
  await pair.configure(rules());
  await runOnce();
  expect(Object.keys(await streams())).toEqual(['t01 t02 t03 t04']);
  await expectCaughtUp();
});

test('killed anywhere on the way, the next run goes on', async () => {
  for (const [round, dedicated] of [['busy'], ['calm', 'busy'], []].entries()) {
    await pair.configure(rules(...dedicated));
    const runner = pair.spawnXcrepl(['replication', 'run', '--lock-timeout', '60s'], { timeoutMs: 120_000 });
    const state = { over: false };
    const ended = (async () => {
      await runner;
      state.over = true;
    })();
    const before = await slotNames();
    // Slots come and go inside the steps that matter; the moment after differs by round.
    for (let looks = 0; looks < 400 && !state.over; looks++) {
      if ((await slotNames()) !== before) break;
      await sleep(5);
    }
    await sleep(round * 25);
    runner.kill('SIGKILL');
    await ended;
  }
  await expectCaughtUp();
  expect(Object.keys(await streams())).toEqual(['t01 t02 t03 t04']);
  writing.abort();
  await written;
  await runOnce();
  expect(await differing(pair, TENANTS)).toEqual([]);
});
