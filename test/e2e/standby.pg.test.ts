/** A run that stands by: it waits beside another one, and takes over from whatever way that one goes. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { shopTables } from '../../fixtures/shop/tables.ts';
import { openTestEngine } from '../engine/test-engine.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { digests } from '../harness/table-digest.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { until } from './until.ts';

/** Between two transactions of the application. */
const WRITE_EVERY_MS = 10;

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme', 'initech'], scale: 0.02 });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
});
afterAll(() => pair[Symbol.asyncDispose]());

/** The run that has the stream between two tests. */
let active: Follower;

/** An object, since a process is awaited wherever it is returned by itself. */
const follow = (...more: readonly string[]) => {
  const running = pair.spawnXcrepl(['replication', 'run', '--follow', ...more]);
  let told = '';
  running.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
  return { running, told: () => told };
};
type Follower = ReturnType<typeof follow>;

/** pid of the run that reads the slot now. */
const streaming = async (): Promise<number | null> => {
  const [reader] = await pair.source.query<{ name: string }>(
    `SELECT a.application_name AS name FROM pg_replication_slots s JOIN pg_stat_activity a ON a.pid = s.active_pid
      WHERE s.database = current_database() AND s.slot_name LIKE 'xcrepl_s_%'`,
  );
  return reader ? Number(/:(\d+) /.exec(reader.name)?.[1]) : null;
};
const untilStreaming = ({ running }: Follower) =>
  until('it streams', async () => (await streaming()) === running.pid);
const untilWaiting = ({ told }: Follower) => until('it waits', () => told().includes('works on it'));

const ended = async ({ running }: Follower, signal: NodeJS.Signals) => {
  running.kill(signal);
  return await running;
};

const writing = () => {
  const over = new AbortController();
  const work = (async () => {
    for (let n = 0; !over.signal.aborted; n++) {
      await pair.source.query(
        `WITH written AS (UPDATE shop.customers SET note = $1 WHERE id % 7 = $2::int % 7)
         INSERT INTO shop.customers (tenant_id, email, full_name) VALUES ('acme', $1, 'under load')`,
        [`write ${n}`, n],
      );
      await sleep(WRITE_EVERY_MS);
    }
  })();
  const stop = async (): Promise<void> => {
    over.abort();
    await work;
  };
  return { stop, [Symbol.asyncDispose]: stop };
};

const untilEqual = async (): Promise<void> => {
  await until('the rows being equal', async () => {
    const [source, target] = await Promise.all([
      digests(pair.source, ['shop.customers']),
      digests(pair.target, ['shop.customers']),
    ]);
    return JSON.stringify(source) === JSON.stringify(target);
  });
  expect(await digests(pair.target, shopTables)).toEqual(await digests(pair.source, shopTables));
};

test('of two that wait, one goes on where a killed run was, and the other waits on', async () => {
  const first = follow('--standby');
  await untilStreaming(first);
  const waiting = [follow('--standby'), follow('--standby')];
  for (const one of waiting) await untilWaiting(one);
  expect(waiting[0]!.told()).toContain(`pid ${first.running.pid}`);
  const url = /health and metrics on (\S+)/.exec(waiting[0]!.told())![1]!;
  const health = (await (await fetch(`${url}/health`)).json()) as object;
  expect(health).toMatchObject({ live: true, ready: false });
  expect(JSON.stringify(health)).toMatch(/waiting, run rn_\w+ on host/);
  expect((await fetch(`${url}/metrics`)).status).toBe(200);
  expect((await fetch(`${url}/health/ready`)).status).toBe(503);

  await using load = writing();
  first.running.kill('SIGKILL');
  await first.running;
  await until('one of them streams', async () => {
    const pid = await streaming();
    return waiting.some(({ running }) => running.pid === pid);
  });
  const now = await streaming();
  const [loser] = waiting.filter(({ running }) => running.pid !== now);
  active = waiting.find(({ running }) => running.pid === now)!;
  await until('the other one seeing it', () => loser!.told().includes(`pid ${now} works on it`));
  await load.stop();
  await untilEqual();
  const stopped = await ended(loser!, 'SIGTERM');
  expect(stopped.exitCode, stopped.stderr).toBe(143);
});

test('one that stands still is taken over from, and writes nothing when it wakes up', async () => {
  await using load = writing();
  active.running.kill('SIGSTOP');
  const next = follow('--standby', '--take-over-after', '5s');
  await untilStreaming(next);
  expect(next.told()).toContain(`pid ${active.running.pid} for`);
  // What it worked with is gone on both servers: nothing of it can commit any more, or hold a lock or slot. A session
  // that it was just opening, to look at something, has done nothing yet.
  for (const side of [pair.source, pair.target])
    expect(
      await side.query(
        `SELECT a.pid FROM pg_stat_activity a
          WHERE application_name LIKE '%:${active.running.pid} %' AND datname = current_database()
            AND (backend_type = 'walsender' OR backend_xid IS NOT NULL
                 OR EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory'))`,
      ),
    ).toEqual([]);
  const over = await ended(active, 'SIGCONT');
  // In the middle of a verification all that it knows is that its connections are gone; otherwise it says who has the stream.
  expect([5, 11], over.stderr + over.stdout).toContain(over.exitCode);
  expect(over.stdout).toMatch(/XC-7010|XC-6001/);
  active = next;
  await load.stop();
  await untilEqual();
  await untilStreaming(next);
});

test('one that is told to end is followed at once; one that is needed by nobody ends in good order', async () => {
  const next = follow('--standby', '--max-duration', '1h');
  const short = follow('--standby', '--max-duration', '1s', '-o', 'json');
  const impatient = follow('--standby', '--lock-timeout', '1s', '-o', 'json');
  await untilWaiting(next);
  const unneeded = await short.running;
  expect(unneeded.exitCode, unneeded.stderr).toBe(0);
  expect(JSON.parse(unneeded.stdout)).toMatchObject({ outcome: 'stood-by' });
  expect((await impatient.running).exitCode).toBe(11);
  expect(impatient.told()).toContain('works on it');
  expect((await ended(active, 'SIGTERM')).exitCode).toBe(143);
  await untilStreaming(next);
  expect((await ended(next, 'SIGTERM')).exitCode).toBe(143);
  await untilEqual();
});

test('a role that could not end the sessions is refused while the other run works', async () => {
  const role = `watcher_${pair.target.database}`;
  await pair.target.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`);
  try {
    await pair.target.query(
      `GRANT USAGE ON SCHEMA xcrepl TO ${role}; GRANT SELECT ON xcrepl.streams TO ${role}`,
    );
    await using working = await openTestEngine(pair);
    await working.engine.acquire();
    const dsn = new URL(pair.target.dsn);
    [dsn.username, dsn.password] = [role, 'secret'];
    const target = { ...pair.target, dsn: dsn.href };
    await using watching = await openTestEngine({ ...pair, target }, { standby: { silentMs: 30_000 } });
    await expect(watching.engine.holding()).rejects.toMatchObject({ code: 'XC-7012' });
  } finally {
    await pair.target.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
  }
});

test('options that contradict each other are refused', async () => {
  for (const more of [['--standby'], ['--standby', '--once'], ['--follow', '--take-over-after', '1m']])
    expectRefusal(await pair.xcrepl(['replication', 'run', '-o', 'json', ...more]), {
      code: 'XC-1001',
      exit: 2,
    });
});
