/** `verify --repair-plan` and the run of its plan: rows that still look as planned are mended, beside a run that streams. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import type { RepairRows } from '../../src/core/plan/plan.ts';
import type { CompareRequest, RepairedRows } from '../../src/core/replication/engine.ts';
import { until } from '../e2e/until.ts';
import { TARGET_REGION } from '../servers/server-pair.ts';
import { oneTenant, pairOf } from './empty-pair.ts';
import { openTestEngine, type TestEngine } from './test-engine.ts';

const never = new AbortController().signal;

const allow = (...names: string[]) => Object.fromEntries(names.map((name) => [name, 'allow' as const]));

const withSecrets = (config: ConfigInput): ConfigInput => {
  const one = oneTenant(config);
  return {
    ...one,
    hashKeys: { k1: 'env:PII_KEY' },
    tenants: {
      a: {
        ...one.tenants!['a']!,
        columns: {
          'app.keyed': allow('tenant', 'id', 'v', 'n', 'doc', 'bits'),
          'app.keyless': allow('tenant', 'v'),
          'app.secret': {
            tenant: 'allow',
            mail: { pii: 'email', action: 'hash', key: 'k1' },
            name: { pii: 'name', action: 'mask' },
            note: { pii: 'free-text', action: 'drop' },
            n: 'allow',
          },
        },
      },
    },
  };
};

const SCHEMA = `
  CREATE TABLE app.keyed (tenant text, id int GENERATED ALWAYS AS IDENTITY, v text, n numeric(8,2), doc jsonb, bits bit(3),
    twice int GENERATED ALWAYS AS (2) STORED, PRIMARY KEY (tenant, id));
  CREATE TABLE app.keyless (tenant text, v text);
  CREATE TABLE app.secret (tenant text, mail text, name text, note text, n int, PRIMARY KEY (tenant, mail));`;

const ROWS = `
  INSERT INTO app.keyed (tenant, v, n, doc, bits)
    SELECT t, 'v' || g, g, '{"a": 1.50}', B'101' FROM generate_series(1, 80) g, unnest('{a,b}'::text[]) t ORDER BY t, g;
  INSERT INTO app.keyless SELECT 'a', g::text FROM generate_series(1, 5) g;
  INSERT INTO app.keyless VALUES ('a', '5');
  INSERT INTO app.secret SELECT 'a', g || '@example.com', 'name', 'note', g FROM generate_series(1, 6) g`;

const compare = async ({ engine, stream }: TestEngine, acquired = false) => {
  const request: CompareRequest = {
    links: stream.links.map((link) => link.id),
    wanted: () => true,
    whole: true,
    sample: 1,
    maxKeysNamed: 100,
    memory: null,
    acquired,
  };
  return await engine.compare(request, never);
};

const stepsOf = async (test: TestEngine, acquired = false): Promise<RepairRows[]> => {
  const { differences, seed } = await compare(test, acquired);
  return differences.map(({ table, links, hashing, rows }) => ({
    id: table,
    kind: 'repair-rows',
    stream: test.stream.key,
    dependsOn: [],
    table,
    links,
    seed: seed!,
    hashing,
    epoch: 1,
    rows,
  }));
};

test('beside a run that streams: what was planned is mended, what moved is left and named, no other row is touched', async () => {
  await using pair = await pairOf(SCHEMA, withSecrets);
  await pair.source.query(ROWS);
  await pair.target.query('ALTER TABLE app.keyed ADD COLUMN own text');
  await using runner = await openTestEngine(pair);
  await runner.copyAndStream();
  const stop = new AbortController();
  const streaming = runner.follow(stop.signal);
  // Rows of another tenant on the target, which nothing here may touch.
  const others = `SELECT tenant, v, n FROM app.keyed WHERE tenant = 'b'`;
  await pair.target.query(`
    INSERT INTO app.keyed (tenant, v, n) VALUES ('b', 'theirs', 1), ('b', 'theirs too', 2);
    UPDATE app.keyed SET own = 'kept', v = 'wrong', n = 7, doc = NULL, bits = NULL WHERE tenant = 'a' AND id IN (1, 3);
    DELETE FROM app.keyed WHERE tenant = 'a' AND id IN (5, 7);
    INSERT INTO app.keyed (tenant, id, v) OVERRIDING SYSTEM VALUE VALUES ('a', 901, 'extra'), ('a', 903, 'extra');
    DELETE FROM app.keyless WHERE ctid = (SELECT min(ctid) FROM app.keyless WHERE v = '5');
    UPDATE app.keyless SET v = 'wrong' WHERE v = '1';
    UPDATE app.secret SET name = 'plain' WHERE n = 1;
    DELETE FROM app.secret WHERE n = 2;
    UPDATE app.secret SET mail = 'nobody' WHERE n = 3`);
  const before = await pair.target.query(others);
  await using other = await openTestEngine(pair);
  const steps = await stepsOf(other);
  expect(steps.map(({ table, rows }) => [table, rows.length])).toEqual([
    ['app.keyed', 6],
    ['app.keyless', 3],
    ['app.secret', 4],
  ]);
  // Since then: a source's row came through the stream, and somebody wrote a row of the target again.
  await pair.source.query(`UPDATE app.keyed SET v = 'newer' WHERE tenant = 'a' AND id = 3`);
  await pair.target.query(`UPDATE app.keyed SET v = 'other' WHERE tenant = 'a' AND id = 901`);
  await until(
    'the stream brings it',
    async () => (await pair.target.query(`SELECT FROM app.keyed WHERE v = 'newer'`)).length === 1,
  );
  const repair = async (step: RepairRows): Promise<RepairedRows> =>
    await other.engine.repairRows!(step, never);
  const done = [];
  for (const step of steps) done.push(await repair(step));
  expect(done).toMatchObject([
    { rows: 3, deleted: 1, equal: 1, left: 1, findings: [{ code: 'XC-3020', verdict: 'fail' }] },
    { rows: 3, deleted: 1, equal: 0, left: 0, findings: [] },
    { rows: 3, deleted: 1, equal: 0, left: 0, findings: [] },
  ]);
  expect(done[0]!.findings[0]!.keys).toEqual([
    { link: steps[0]!.links[0], kind: 'extra', key: { tenant: 'a', id: '901' } },
  ]);
  expect(await pair.target.query(others)).toEqual(before);
  expect(
    await pair.target.query(
      `SELECT id, v, n::text, own, doc::text, bits::text FROM app.keyed WHERE id IN (1, 7)`,
    ),
  ).toEqual([
    { id: 1, v: 'v1', n: '1.00', own: 'kept', doc: '{"a": 1.50}', bits: '101' },
    { id: 7, v: 'v7', n: '7.00', own: null, doc: '{"a": 1.50}', bits: '101' },
  ]);
  // The same again changes nothing.
  for (const step of steps) expect(await repair(step)).toMatchObject({ rows: 0, deleted: 0 });
  stop.abort();
  await streaming;
  const rest = await stepsOf(runner, true);
  expect(rest.map(({ rows }) => rows.map(({ key }) => key))).toEqual([[['a', '901']]]);
  // What the stream does afterwards still finds its rows.
  await pair.source.query(`
    UPDATE app.keyed SET v = 'after' WHERE tenant = 'a' AND id IN (1, 5);
    DELETE FROM app.keyed WHERE tenant = 'a' AND id = 7`);

  // A transaction of the source that writes a planned row: its end is waited for, and the row has moved.
  const writer = await pair.source.connect();
  await writer.query(
    `BEGIN; INSERT INTO app.keyed (tenant, id, v) OVERRIDING SYSTEM VALUE VALUES ('a', 901, 'other')`,
  );
  const waiting = repair(rest[0]!);
  await until('the repair waits for it', () =>
    Promise.resolve(other.notes.some((note) => note.includes('being written'))),
  );
  await writer.query('COMMIT');
  expect(await waiting).toMatchObject({ rows: 0, deleted: 0 });
  await writer.end();
  expect((await stepsOf(runner, true)).flatMap(({ rows }) => rows)).toEqual([]);
  // The target refuses a row, and a plan of an older authority nothing at all.
  await pair.target.query(`
    DELETE FROM app.keyed WHERE tenant = 'a' AND id IN (9, 11);
    ALTER TABLE app.keyed ADD CONSTRAINT no_nine CHECK (id <> 9)`);
  const [step] = await stepsOf(runner, true);
  expect(await repair(step!)).toMatchObject({
    rows: 1,
    left: 1,
    findings: [
      { code: 'XC-5263', seen: 'the target refused 1 rows: 23514 no_nine', keys: [{ key: { id: '9' } }] },
    ],
  });
  await pair.target.query(`ALTER TABLE app.keyed DROP CONSTRAINT no_nine`);
  await expect(repair({ ...step!, epoch: 0 })).rejects.toMatchObject({ code: 'XC-3002' });
  await pair.target.query(`UPDATE xcrepl.links SET state = 'paused'`);
  await expect(repair(step!)).rejects.toMatchObject({ code: 'XC-5004' });
});

test('the command: a plan file, confirmation for what is deleted, kill -9 in the middle, and again', async () => {
  await using pair = await pairOf(`
    CREATE TABLE app.t (id int PRIMARY KEY, v text); CREATE TABLE app.u (id int PRIMARY KEY, v text)`);
  await pair.source.query(`
    INSERT INTO app.t SELECT g, 'v' FROM generate_series(1, 120) g; INSERT INTO app.u SELECT g, 'v' FROM generate_series(1, 5) g`);
  const run = await pair.xcrepl(['replication', 'run', '-o', 'json']);
  expect(run.exitCode, run.stderr).toBe(0);
  await pair.target.query(`UPDATE app.t SET v = 'x'; INSERT INTO app.u VALUES (9, 'extra')`);
  const found = await pair.xcrepl(['replication', 'verify', '--repair-plan', 'repair.json', '-o', 'json']);
  expect(found.exitCode, found.stderr).toBe(6);
  expect(found.json()).toMatchObject({
    plan: {
      file: 'repair.json',
      rows: 121,
      findings: [{ code: 'XC-5262', region: TARGET_REGION }],
      next: `xcrepl replication run --plan repair.json --confirm ${TARGET_REGION}`,
    },
  });
  const follow = pair.spawnXcrepl(['replication', 'run', '--follow']);
  await until(
    'the run streams',
    async () => (await pair.source.query('SELECT FROM pg_replication_slots WHERE active')).length > 0,
  );
  const command = ['replication', 'run', '--plan', 'repair.json'];
  expect((await pair.xcrepl(command)).exitCode).toBe(13);
  const confirmed = [...command, '--confirm', TARGET_REGION];
  // It stands before the second table, with the first one done, and is killed there.
  const holder = await pair.target.connect();
  await holder.query('BEGIN; LOCK TABLE app.u IN ROW EXCLUSIVE MODE');
  const killed = pair.spawnXcrepl(confirmed);
  await until(
    'the first table is mended',
    async () => (await pair.target.query(`SELECT FROM app.t WHERE v = 'x'`)).length === 0,
  );
  killed.kill('SIGKILL');
  await killed;
  await holder.query('ROLLBACK');
  await holder.end();
  const again = await pair.xcrepl([...confirmed, '-o', 'json']);
  expect(again.exitCode, again.stderr).toBe(0);
  expect(again.json()).toMatchObject({
    outcome: 'done',
    totals: { repairedRows: 1 },
    steps: [{ result: { equal: 120 } }, { result: { deleted: 1 } }],
  });
  const text = await readFile(join(pair.directory, 'repair.json'), 'utf8');
  await writeFile(join(pair.directory, 'edited.json'), text.replace('"9"', '"1"'));
  const edited = await pair.xcrepl(['replication', 'run', '--plan', 'edited.json']);
  expect([edited.exitCode, edited.stderr]).toEqual([8, expect.stringContaining('XC-3003')]);
  await pair.target.query('ALTER TABLE app.u ADD COLUMN w int');
  const stale = await pair.xcrepl(confirmed);
  expect([stale.exitCode, stale.stderr]).toEqual([8, expect.stringContaining('XC-3001')]);
  const good = await pair.xcrepl(['replication', 'verify', '--repair-plan', 'none.json', '-o', 'json']);
  expect(good.exitCode, good.stderr).toBe(0);
  expect(good.json()).toMatchObject({ verdict: 'pass', plan: null });
  follow.kill('SIGTERM');
  await follow;
});
