/** `verify` by itself: beside a run that streams, without one, cut off and gone on with, and of a sample. */

import { expect, test } from 'vitest';
import type { CompareRequest } from '../../src/core/replication/engine.ts';
import type { CompareMemory, UnitProgress } from '../../src/core/validation/compare/compare-unit.ts';
import { slotName } from '../../src/core/topology/link.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { until } from '../e2e/until.ts';
import { pairOf } from './empty-pair.ts';
import { openTestEngine, type TestEngine } from './test-engine.ts';

const never = new AbortController().signal;

const request = ({ stream }: TestEngine, more: Partial<CompareRequest> = {}): CompareRequest => ({
  links: stream.links.map((link) => link.id),
  wanted: () => true,
  whole: true,
  sample: 1,
  maxKeysNamed: 20,
  memory: null,
  acquired: false,
  ...more,
});

const verdicts = (pair: { target: { query(sql: string): Promise<unknown[]> } }) =>
  pair.target.query('SELECT verdict FROM xcrepl.links');

test('beside a run that streams it passes that run’s checkpoints, and names what differs', async () => {
  await using pair = await pairOf(
    'CREATE TABLE app.t (id int PRIMARY KEY, v text); CREATE TABLE app.u (id int PRIMARY KEY)',
  );
  await pair.source.query(
    `INSERT INTO app.t SELECT g, 'v' FROM generate_series(1, 500) g; INSERT INTO app.u VALUES (1)`,
  );
  await using runner = await openTestEngine(pair);
  await runner.copyAndStream();
  const stop = new AbortController();
  const streaming = runner.engine.streamChanges(
    {
      id: 's',
      kind: 'stream-changes',
      stream: runner.stream.key,
      dependsOn: [],
      slot: slotName(runner.stream.key),
      until: 'stopped',
    },
    { until: null, signal: stop.signal },
  );
  await using other = await openTestEngine(pair);
  await expect(other.engine.acquire()).rejects.toMatchObject({ code: 'XC-7002' });

  const equal = await other.engine.compare(request(other), never);
  expect(equal.tables.map((table) => [table.table, table.verdict, table.rows.source])).toEqual([
    ['app.t', 'pass', 500],
    ['app.u', 'pass', 1],
  ]);
  expect(await verdicts(pair)).toEqual([{ verdict: 'pass' }]);

  await pair.target.query(
    `UPDATE app.t SET v = 'x' WHERE id = 7; DELETE FROM app.t WHERE id = 8; INSERT INTO app.t VALUES (501, 'v')`,
  );
  const found = await other.engine.compare(
    request(other, { wanted: (_, table) => table === 'app.t', whole: false }),
    never,
  );
  expect(found.tables).toHaveLength(1);
  expect(found.tables[0]!.keys.map(({ kind, key }) => `${kind} ${key['id']}`).toSorted()).toEqual([
    'changed 7',
    'extra 501',
    'missing 8',
  ]);
  expect(await verdicts(pair)).toEqual([{ verdict: 'fail' }]);

  // That some rows are equal does not make a link equal that was found to differ.
  await other.engine.compare(
    request(other, { wanted: (_, table) => table === 'app.u', whole: false }),
    never,
  );
  expect(await verdicts(pair)).toEqual([{ verdict: 'fail' }]);
  stop.abort();
  await streaming;
});

test('without a run it streams what is missing first; a link that is not streaming is unknown', async () => {
  await using pair = await pairOf('CREATE TABLE app.t (id int PRIMARY KEY, v text)');
  await using first = await openTestEngine(pair);
  await first.copyAndStream();
  await first.engine[Symbol.asyncDispose]();
  await pair.source.query(`INSERT INTO app.t SELECT g, 'v' FROM generate_series(1, 100) g`);
  await using alone = await openTestEngine(pair);
  await alone.engine.acquire();
  const found = await alone.engine.compare(request(alone, { acquired: true }), never);
  expect(found.tables).toMatchObject([{ verdict: 'pass', rows: { source: 100, target: 100 } }]);
  await pair.target.query(`UPDATE xcrepl.links SET state = 'paused'`);
  expect(await alone.engine.compare(request(alone, { acquired: true }), never)).toMatchObject({
    findings: [{ check: 'verify-link', verdict: 'unknown', seen: expect.stringContaining('paused') }],
    tables: [],
  });
});

/** Cuts the verification off after so many chunks. */
const cutOff = (
  after: number,
  stop: AbortController,
): CompareMemory & { units: Map<string, UnitProgress> } => {
  const units = new Map<string, UnitProgress>();
  let writes = 0;
  return {
    units,
    read: (unit) => units.get(unit) ?? null,
    write: (unit, progress) => {
      units.set(unit, progress);
      if (++writes === after) stop.abort(new DOMException('cut off', 'AbortError'));
      return Promise.resolve();
    },
  };
};

test('one that was cut off goes on behind what it settled, and keeps what it found', async () => {
  await using pair = await pairOf('CREATE TABLE app.t (id int PRIMARY KEY, v text)');
  await pair.source.query(`INSERT INTO app.t SELECT g, 'v' FROM generate_series(1, 120000) g`);
  await using runner = await openTestEngine(pair);
  await runner.copyAndStream();
  await pair.target.query(`UPDATE app.t SET v = 'x' WHERE id = 119999`);
  const stop = new AbortController();
  const memory = cutOff(1, stop);
  await expect(
    runner.engine.compare(request(runner, { acquired: true, memory }), stop.signal),
  ).rejects.toMatchObject({ name: 'AbortError' });
  expect([...memory.units.values()]).toMatchObject([{ done: false, after: ['20000'] }]);
  // Behind it nobody looks again: what is changed there now is not seen, which shows that it went on.
  await pair.target.query(`UPDATE app.t SET v = 'y' WHERE id = 2`);
  const found = await runner.engine.compare(request(runner, { acquired: true, memory }), never);
  expect(found.tables).toMatchObject([
    {
      verdict: 'fail',
      differing: 1,
      rows: { source: 120_000 },
      chunks: { checked: 7, total: 7 },
      keys: [{ key: { id: '119999' } }],
    },
  ]);

  const draw = async () =>
    (
      await runner.engine.compare(
        request(runner, { acquired: true, sample: 0.4, seed: '00000000000000aa' }),
        never,
      )
    ).tables[0]!;
  const sample = await draw();
  expect(sample.chunks.checked).toBeGreaterThan(0);
  expect(sample.chunks.checked).toBeLessThan(7);
  expect(await draw()).toEqual(sample);
});

test('the command: exit 6 and the keys, 0 once they are mended, a state file that is gone at the end', async () => {
  await using pair = await pairOf('CREATE TABLE app.t (id int PRIMARY KEY, v text)');
  await pair.source.query(`INSERT INTO app.t SELECT g, 'v' FROM generate_series(1, 50) g`);
  const run = await pair.xcrepl(['replication', 'run', '-o', 'json']);
  expect(run.exitCode, run.stderr).toBe(0);
  await pair.target.query(`UPDATE app.t SET v = 'x' WHERE id = 7`);
  const follow = pair.spawnXcrepl(['replication', 'run', '--follow']);
  await until(
    'the run streams',
    async () => (await pair.source.query('SELECT FROM pg_replication_slots WHERE active')).length > 0,
  );
  const link = `app:all:us-east-1:${TARGET_REGION}`;
  const bad = await pair.xcrepl(['replication', 'verify', '--link', link, '-o', 'json']);
  expect(bad.exitCode, bad.stderr).toBe(6);
  expect(bad.stderr).toContain('beside the run that streams');
  expect(bad.json()).toMatchObject({
    verdict: 'fail',
    links: [{ link, verdict: 'fail', differing: 1 }],
    findings: [{ code: 'XC-5101', keys: [{ kind: 'changed', key: { id: '7' } }] }],
  });
  follow.kill('SIGTERM');
  await follow;
  await pair.source.query(`UPDATE app.t SET v = 'z' WHERE id = 7`);
  const good = await pair.xcrepl(['replication', 'verify', '--resume']);
  expect(good.exitCode, good.stderr).toBe(0);
  expect(good.stdout).toMatch(/app\.t +pass +50/);
  const nothing = await pair.xcrepl(['replication', 'verify', '--tables', 'app.none']);
  expect(nothing.exitCode).toBe(2);
});
