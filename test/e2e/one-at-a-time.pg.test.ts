/** Two runs of one stream: the second says who holds it, and a lock dies with its process. */

import { hostname } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makePair, type Pair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { until } from './until.ts';

let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme', 'initech'], scale: 0.02 });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
});
afterAll(() => pair[Symbol.asyncDispose]());

const run = (...more: readonly string[]) => pair.xcrepl(['replication', 'run', '-o', 'json', ...more]);

const states = async (): Promise<string[]> =>
  (await pair.target.query<{ state: string }>('SELECT state FROM xcrepl.links')).map(({ state }) => state);

const follow = async () => {
  const running = pair.spawnXcrepl(['replication', 'run', '--follow']);
  await until('streaming', async () => {
    const now = await states();
    const active = await pair.source.query(
      'SELECT FROM pg_replication_slots WHERE database = current_database() AND active',
    );
    return now.length === 2 && now.every((state) => state === 'streaming') && active.length === 1;
  });
  // Inside an object: a process is awaited wherever it is returned by itself.
  return { running };
};

test('the second run names host, pid and since, and after kill -9 nothing is left of the lock', async () => {
  const { running } = await follow();
  const error = expectRefusal(await run(), {
    code: 'XC-7002',
    exit: 11,
    says: [hostname(), `pid ${running.pid}`, /since \d{4}-\d{2}-\d{2}T/],
  });
  expect(error.facts).toMatchObject({ host: hostname(), pid: running.pid });
  expectRefusal(await run('--tenant', 'acme', '--lock-timeout', '300ms'), { code: 'XC-7002', exit: 11 });
  for (const region of [SOURCE_REGION, TARGET_REGION])
    expectRefusal(await pair.xcrepl(['uninstall', '--region', region, '--confirm', region, '-o', 'json']), {
      code: 'XC-7002',
      exit: 11,
      says: region === TARGET_REGION ? [hostname(), `pid ${running.pid}`] : ['xcrepl_s_'],
    });
  // Looking needs no lock.
  expect((await pair.xcrepl(['replication', 'simulate', '--out', 'plan.json'])).exitCode).toBe(0);
  expect((await run('--dry-run')).exitCode).toBe(0);
  const status = await pair.xcrepl(['replication', 'status', '-o', 'json']);
  expect(status.json()).toMatchObject({ links: [{ runner: { pid: running.pid, host: hostname() } }, {}] });

  running.kill('SIGKILL');
  await running;
  await until('the server noticing', async () => (await run()).exitCode === 0);
  const after = await pair.xcrepl(['replication', 'status', '-o', 'json']);
  expect(after.json()).toMatchObject({ links: [{ runner: null }, { runner: null }] });
  expect(await pair.target.query(`SELECT FROM pg_locks WHERE locktype = 'advisory'`)).toEqual([]);
});

test('--lock-timeout waits until the first is done', async () => {
  const { running } = await follow();
  const waiting = pair.spawnXcrepl(['replication', 'run', '--lock-timeout', '60s', '-o', 'json']);
  await until('the second waiting', async () => {
    const sessions = await pair.target.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '%:${waiting.pid} %'`,
    );
    return sessions.length > 0;
  });
  running.kill('SIGTERM');
  expect((await running).exitCode).toBe(143);
  const ended = await waiting;
  expect(ended.exitCode, ended.stderr).toBe(0);
});

test('many at once: one works, the others say that they are locked out, none does harm', async () => {
  await pair.source.query(`UPDATE shop.customers SET note = 'all at once'`);
  const runs = await Promise.all(Array.from({ length: 4 }, () => run()));
  const exits = runs.map(({ exitCode }) => exitCode);
  expect(exits).toContain(0);
  for (const one of runs)
    if (one.exitCode !== 0) expectRefusal(one, { code: 'XC-7002', exit: 11, says: [hostname(), /pid \d+/] });
  const noted = await pair.target.query<{ note: string }>('SELECT DISTINCT note FROM shop.customers');
  expect(noted).toEqual([{ note: 'all at once' }]);
});

test('dropping a link that a run holds is left to that run', async () => {
  const { running } = await follow();
  const link = `shop:initech:${SOURCE_REGION}:${TARGET_REGION}`;
  const stopped = await pair.xcrepl([
    'replication',
    'stop',
    '--link',
    link,
    '--confirm',
    TARGET_REGION,
    '-o',
    'json',
  ]);
  expect(stopped.exitCode, stopped.stderr).toBe(0);
  expect(stopped.json()).toMatchObject({ changed: true, state: 'stopped' });
  running.kill('SIGTERM');
  expect((await running).exitCode).toBe(143);
});
