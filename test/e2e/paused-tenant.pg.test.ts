/** Tenants are paused and resumed from the command line, under traffic: with a run that follows, and with none. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkSlotName } from '../../src/core/topology/link.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { apart, differing, linkOf, manyTenants, slotsOf, tenantNames } from '../engine/many-links.ts';
import { expectRefusal } from './refusal.ts';
import { until } from './until.ts';

const TENANTS = tenantNames(6);
const OWN = linkSlotName(linkOf('t02'));

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
    `INSERT INTO app.items SELECT 't' || lpad(t::text, 2, '0'), i, 0 FROM generate_series(1, 6) t, generate_series(1, 20) i`,
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

/** Every tenant, in every transaction. */
const write = async (): Promise<void> => {
  await using client = await pair.source.connect();
  while (!writing.signal.aborted) {
    await client.query(`UPDATE app.items SET v = v + 1 WHERE id = 1 + floor(random() * 20)`);
    await sleep(30);
  }
};

const runOnce = async () => {
  const run = await pair.xcrepl(['replication', 'run', '-o', 'json']);
  expect(run.exitCode, run.stderr).toBe(0);
  return run.json();
};

const ask = async (...args: string[]) => {
  const done = await pair.xcrepl(['replication', ...args, '-o', 'json']);
  expect(done.exitCode, done.stderr).toBe(0);
  return done.json();
};

const T02 = ['--link', linkOf('t02')];

test('without a run a pause is done at once, costs what it says, and is taken back by the next run', async () => {
  expectRefusal(await pair.xcrepl(['replication', 'pause', '-o', 'json']), { code: 'XC-1210', exit: 2 });
  expect(await ask('pause', ...T02, '--dry-run')).toMatchObject({
    changed: false,
    links: [{ state: 'streaming', changed: true }],
  });
  const paused = { state: 'paused', slot: OWN, retained: { limitBytes: expect.any(Number) } };
  expect(await ask('pause', ...T02)).toMatchObject({ changed: true, links: [{ ...paused, changed: true }] });
  expect(await ask('pause', ...T02)).toMatchObject({
    changed: false,
    links: [{ ...paused, changed: false }],
  });
  // A second later what it costs a second is known.
  await sleep(1_100);
  const status = await pair.xcrepl(['replication', 'status']);
  expect(status.stdout).toMatch(
    /t02.*: its slot keeps .* of log, of .*; at .*\/s .* are left before it is dropped/,
  );
  const doctor = await ask('doctor', ...T02);
  expect(doctor).toMatchObject({
    links: [{ state: 'paused', verdict: expect.stringMatching(/safe|duplicate/) }],
  });
  const held = await runOnce();
  expect(held).toMatchObject({
    outcome: 'done',
    findings: expect.arrayContaining([
      expect.objectContaining({ subject: linkOf('t02'), seen: expect.stringMatching(/^paused/) }),
    ]),
  });
  expect(
    await pair.target.query(
      `SELECT FROM app.items WHERE tenant = 't02' AND v > (SELECT max(v) FROM app.items WHERE tenant = 't01')`,
    ),
  ).toEqual([]);
  expect(await ask('resume', ...T02)).toMatchObject({
    changed: true,
    links: [{ state: 'catching-up' }],
    next: ['xcrepl replication run'],
  });
  expect(await ask('resume', ...T02)).toMatchObject({ changed: false });
  await runOnce();
  expect(await apart(pair)).toEqual([]);
  expect(await slotsOf(pair)).toHaveLength(1);
});

test('a run that follows pauses and resumes within seconds, and the others go on', async () => {
  const runner = pair.spawnXcrepl(['replication', 'run', '--follow', '-o', 'json'], { timeoutMs: 240_000 });
  runner.stderr.resume();
  await until('a runner that streams', async () => {
    const rows = await pair.target.query('SELECT FROM xcrepl.streams WHERE runner IS NOT NULL');
    const active = await pair.source.query(
      `SELECT FROM pg_replication_slots WHERE database = current_database() AND active`,
    );
    return rows.length === 1 && active.length === 1;
  });
  expect(await ask('pause', '--tenant', 't02')).toMatchObject({
    links: [{ state: 'paused', slot: OWN, changed: true }],
  });
  await until('the others’ newest rows', async () => (await differing(pair, TENANTS)).join() === 't02');
  expect(await ask('resume', '--rule', 'app', '--tenant', 't02')).toMatchObject({ changed: true });
  await until('everybody on one slot', async () => (await apart(pair)).length === 0);
  await ask('pause', ...T02);
  writing.abort();
  await written;
  await until('the others’ rows', async () =>
    (await differing(pair, TENANTS)).every((name) => name === 't02'),
  );
  const stopped = await pair.xcrepl([
    'replication',
    'stop',
    ...T02,
    '--confirm',
    TARGET_REGION,
    '-o',
    'json',
  ]);
  expect(stopped.exitCode, stopped.stderr).toBe(0);
  expect(stopped.json()).toMatchObject({ state: 'stopped', removed: [`slot ${OWN} on ${SOURCE_REGION}`] });
  expect(await slotsOf(pair)).toHaveLength(1);
  runner.kill('SIGTERM');
  expect((await runner).exitCode).toBe(143);
  expectRefusal(await pair.xcrepl(['replication', 'resume', ...T02, '-o', 'json']), {
    code: 'XC-1211',
    exit: 2,
    says: ['stopped'],
  });
});

test('a paused link that is dropped, and an uninstall beside one, leave nothing of it', async () => {
  await ask('pause', '--link', linkOf('t03'));
  const own = linkSlotName(linkOf('t03'));
  await pair.target.query('SELECT pg_replication_origin_create($1)', [own]);
  expect(await ask('drop', '--link', linkOf('t03'), '--confirm', TARGET_REGION)).toMatchObject({
    removed: [
      `link ${linkOf('t03')}`,
      `slot ${own} on ${SOURCE_REGION}`,
      `origin ${own} on ${TARGET_REGION}`,
    ],
  });
  await ask('pause', '--link', linkOf('t04'));
  const last = linkSlotName(linkOf('t04'));
  await pair.target.query('SELECT pg_replication_origin_create($1)', [last]);
  for (const region of [SOURCE_REGION, TARGET_REGION]) {
    const gone = await pair.xcrepl(['uninstall', '--region', region, '--confirm', region, '-o', 'json']);
    expect(gone.exitCode, gone.stderr).toBe(0);
    expect(JSON.stringify(gone.json())).toContain(
      region === SOURCE_REGION ? `slot ${last}` : `origin ${last}`,
    );
  }
  expect(
    await pair.source.query(`SELECT FROM pg_replication_slots WHERE database = current_database()`),
  ).toEqual([]);
  expect(
    await pair.target.query('SELECT FROM pg_replication_origin WHERE roname IN ($1, $2)', [own, last]),
  ).toEqual([]);
});
