/** One of 20 tenants is poisoned under traffic, and the runner is killed inside the steps that this sets off. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkSlotName } from '../../src/core/topology/link.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { apart, differing, linkOf, manyTenants, slotsOf, tenantNames } from '../engine/many-links.ts';
import { until } from './until.ts';

const TENANTS = tenantNames(20);
const OWN = linkSlotName(linkOf('t07'));
const ONCE = ['replication', 'run', '--lock-timeout', '60s', '-o', 'json'];
const FOLLOW = ['replication', 'run', '--follow', '--lock-timeout', '60s', '-v', '-o', 'json'];

let pair: Pair;
const writing = new AbortController();
let written: Promise<void>;
beforeAll(async () => {
  pair = await makePair({
    fixture: 'empty',
    sql: 'CREATE SCHEMA app; CREATE TABLE app.items (tenant text, id int, v int NOT NULL, PRIMARY KEY (tenant, id))',
    config: manyTenants(TENANTS),
  });
  await pair.source.query(
    `INSERT INTO app.items SELECT 't' || lpad(t::text, 2, '0'), i, 0 FROM generate_series(1, 20) t, generate_series(1, 20) i`,
  );
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  const first = await pair.xcrepl(ONCE);
  expect(first.exitCode, first.stderr).toBe(0);
  written = write();
});
afterAll(async () => {
  writing.abort();
  await written;
  await pair[Symbol.asyncDispose]();
});

/** Every tenant, in every transaction. */
const write = async (): Promise<void> => {
  await using client = await pair.source.connect();
  while (!writing.signal.aborted) {
    await client.query(`UPDATE app.items SET v = v + 20 WHERE id = 1 + floor(random() * 20)`);
    await sleep(30);
  }
};

/** Holds what the step under way needs next, so that the runner can be killed inside it. */
const killedInside = async ({ runner }: Running, poison: string): Promise<void> => {
  await using holder = await pair.target.connect();
  await holder.query('BEGIN; LOCK TABLE xcrepl.copy_chunks IN EXCLUSIVE MODE');
  await pair.target.query(poison);
  await until('a runner that waits for the lock', async () => {
    const waiting = await pair.target.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND application_name LIKE 'xcrepl%'`,
    );
    return waiting.length > 0;
  });
  runner.kill('SIGKILL');
  await runner;
  await holder.query('ROLLBACK');
};

/** A promise of its own: it is handed on in something that nobody awaits by mistake. */
interface Running {
  readonly runner: ReturnType<Pair['spawnXcrepl']>;
}

const follow = async (): Promise<Running> => {
  const runner = pair.spawnXcrepl(FOLLOW, { timeoutMs: 240_000 });
  runner.stderr.resume();
  await until('a runner that streams', async () => {
    const active = await pair.source.query(
      `SELECT FROM pg_replication_slots WHERE database = current_database() AND active AND slot_name LIKE 'xcrepl\\_s%'`,
    );
    return active.length === 1;
  });
  return { runner };
};

const settled = (...without: string[]): Promise<void> =>
  until(`equal rows of all but ${without.join()}`, async () => {
    const wrong = await differing(pair, TENANTS);
    return wrong.every((name) => without.includes(name));
  });

test('killed after its slot was copied and before that is written down, it is split off by the next run', async () => {
  await killedInside(
    await follow(),
    `ALTER TABLE app.items ADD CONSTRAINT odd CHECK (tenant <> 't07' OR v < 100) NOT VALID`,
  );
  expect(await apart(pair)).toEqual([]);
  expect(
    await pair.source.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [OWN]),
  ).toHaveLength(1);
  const run = await pair.xcrepl(ONCE);
  expect(run.exitCode, run.stderr).toBe(6);
  expect(run.json()).toMatchObject({
    outcome: 'partly',
    exit: 6,
    errors: [],
    errored: [{ link: linkOf('t07'), code: 'XC-5204' }],
  });
  expect(await apart(pair)).toMatchObject([{ tenant: 't07', state: 'errored', slot: OWN }]);
  expect(await slotsOf(pair)).toHaveLength(2);
});

test('the others stream on while it is held, run after run, and status says why', async () => {
  // What a run leaves that is killed between a merge and the removal of its slot.
  await pair.source.query(
    `SELECT pg_copy_logical_replication_slot(slot_name, $1) FROM pg_replication_slots WHERE slot_name LIKE 'xcrepl\\_s%'`,
    [linkSlotName(linkOf('t09'))],
  );
  await pair.target.query('SELECT pg_replication_origin_create($1)', [linkSlotName(linkOf('t09'))]);
  const running = await follow();
  await until('another try', async () => {
    const [row] = await pair.target.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM xcrepl.audit_outbox WHERE action = 'link.hold'`,
    );
    return row!.n >= 1;
  });
  await settled('t07');
  expect(await slotsOf(pair)).toHaveLength(2);
  const status = await pair.xcrepl(['replication', 'status', '-o', 'json']);
  const links = (status.json() as { links: { tenant: string; state: string; why: string }[] }).links;
  expect(links.find(({ tenant }) => tenant === 't07')).toMatchObject({
    state: 'errored',
    why: expect.stringContaining('XC-5204'),
  });
  await killedInside(running, 'ALTER TABLE app.items DROP CONSTRAINT odd');
});

test('killed inside its merge, it is merged by the next run, and nothing is lost or doubled', async () => {
  expect(await apart(pair)).toMatchObject([{ tenant: 't07', slot: OWN }]);
  const { runner } = await follow();
  await until('everybody on one slot', async () => (await apart(pair)).length === 0);
  writing.abort();
  await written;
  await settled();
  await until('one slot', async () => (await slotsOf(pair)).length === 1);
  runner.kill('SIGTERM');
  expect((await runner).exitCode).toBe(143);
  const run = await pair.xcrepl(ONCE);
  expect(run.exitCode, run.stderr).toBe(0);
  const origins = await pair.target.query(`SELECT FROM pg_replication_origin WHERE roname IN ($1, $2)`, [
    OWN,
    linkSlotName(linkOf('t09')),
  ]);
  expect(origins).toEqual([]);
});
