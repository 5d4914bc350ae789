/** A slot that lost changes is replaced, and only what differs is read again: under traffic, redacted, and killed on the way. */

import { expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { makePlan } from '../../src/core/plan/make-plan.ts';
import type { CopyTable, CreateSlot, Plan, StreamChanges } from '../../src/core/plan/plan.ts';
import type { Copied } from '../../src/core/replication/engine.ts';
import { slotName } from '../../src/core/topology/link.ts';
import { gatherFacts } from '../../src/providers/postgres/facts.ts';
import { systemClock } from '../../src/providers/system/clock.ts';
import type { Pair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectEqual, oneTenant, pairOf } from './empty-pair.ts';
import { openTestEngine, type TestEngine } from './test-engine.ts';

const never = new AbortController().signal;

/** A key that is cut, one that is not, none at all, and a second unique constraint over which values are swapped. */
const TABLES = `
  CREATE TABLE app.t (id bigint PRIMARY KEY, v text, n numeric);
  CREATE TABLE app.words (word text PRIMARY KEY, n int);
  CREATE TABLE app.loose (a int, b text); ALTER TABLE app.loose REPLICA IDENTITY FULL;
  CREATE TABLE app.swapped (id int PRIMARY KEY, seat int NOT NULL UNIQUE)`;
const NAMES = ['app.t', 'app.words', 'app.loose', 'app.swapped'];
const FILL = `
  INSERT INTO app.t SELECT g, repeat('v', 100), g FROM generate_series(1, 20000) g;
  INSERT INTO app.words SELECT 'w' || g, g FROM generate_series(1, 2000) g;
  INSERT INTO app.loose SELECT g % 50, 'v' FROM generate_series(1, 200) g;
  INSERT INTO app.swapped SELECT g, g FROM generate_series(1, 300) g; ANALYZE`;
/** What is lost: of every kind, at both ends and in the middle. */
const MISSED = `
  UPDATE app.t SET v = 'changed' WHERE id IN (1, 7777); DELETE FROM app.t WHERE id = 12345;
  INSERT INTO app.t VALUES (20001, 'new', 1.50); UPDATE app.t SET id = 30000 WHERE id = 500;
  UPDATE app.words SET n = 0 WHERE word = 'w1000'; DELETE FROM app.words WHERE word = 'w2';
  DELETE FROM app.loose WHERE ctid = (SELECT min(ctid) FROM app.loose); INSERT INTO app.loose VALUES (3, 'v');
  UPDATE app.swapped SET seat = 1000 WHERE id = 1; UPDATE app.swapped SET seat = 1 WHERE id = 299;
  UPDATE app.swapped SET seat = 299 WHERE id = 1`;

const planRepair = async (pair: Pair, { stream }: TestEngine, repair = true): Promise<Plan> => {
  const facts = await gatherFacts({
    streams: [stream],
    selected: new Set(),
    dsns: new Map([
      [SOURCE_REGION, pair.source.dsn],
      [TARGET_REGION, pair.target.dsn],
    ]),
    roles: new Map([[SOURCE_REGION, 'primary' as const]]),
    clock: systemClock,
    signal: never,
  });
  const selected = new Set(stream.links.map((link) => link.id));
  const wish = { selected, repair, hashKeys: ['k1'], config: 'sha256:0', mode: 'live' as const };
  return makePlan(facts, wish, { id: 'pl_test', nowMs: 0 });
};

const stepsOf = <K extends Plan['steps'][number]['kind']>(plan: Plan, kind: K) =>
  plan.steps.filter((step): step is Extract<Plan['steps'][number], { kind: K }> => step.kind === kind);

/** Small ranges, so that a few thousand rows are many of them. */
const finer = (step: CopyTable): CopyTable => ({
  ...step,
  chunks: step.table === 'app.t' ? 20 : step.chunks,
});

const lose = async (pair: Pair, { stream }: TestEngine): Promise<void> =>
  void (await pair.source.query('SELECT pg_drop_replication_slot($1)', [slotName(stream.key)]));

const replicated = async (pair: Pair): Promise<void> => {
  await using first = await openTestEngine(pair);
  await first.copyAndStream();
  await lose(pair, first);
};

const finish = async ({ engine }: TestEngine, step: StreamChanges): Promise<void> => {
  await engine.streamChanges(step, { until: await engine.sourcePosition(), signal: never });
};

test('only ranges that differ are read, whatever the key; changes during the repair come after it', async () => {
  await using pair = await pairOf(TABLES);
  await pair.source.query(FILL);
  await replicated(pair);
  await pair.source.query(MISSED);
  await using test = await openTestEngine(pair);
  await test.engine.acquire();
  await expect(planRepair(pair, test, false)).rejects.toMatchObject({ code: 'XC-5001' });
  const plan = await planRepair(pair, test);
  const [created] = stepsOf(plan, 'create-slot');
  expect(created).toMatchObject({ slot: slotName(test.stream.key), repair: true });
  await test.engine.createSlot(created!);
  await pair.source.query(
    `UPDATE app.t SET v = 'during' WHERE id IN (2, 7777, 20001); DELETE FROM app.words WHERE word = 'w3'`,
  );
  const done: Record<string, Copied> = {};
  for (const step of stepsOf(plan, 'copy-table'))
    done[step.table] = await test.engine.copyTable(finer(step), never);
  await pair.source.query(`INSERT INTO app.swapped VALUES (301, 301); DELETE FROM app.loose WHERE a = 7`);
  for (const step of stepsOf(plan, 'stream-changes')) await finish(test, step);
  await expectEqual(pair, NAMES);
  expect(done['app.t']!.compared).toBeGreaterThan(20_000);
  // Six keys differ; each costs its bucket of some rows, and none its range, let alone the table.
  expect(done['app.t']!.rows).toBeLessThan(1_000);
  expect(done['app.t']!.deleted).toBeGreaterThan(0);
  expect(done['app.words']!.rows).toBeLessThan(500);
  expect(await pair.target.query('SELECT state, detail FROM xcrepl.links')).toEqual([
    { state: 'streaming', detail: {} },
  ]);
  expect(stepsOf(await planRepair(pair, test), 'create-slot')).toEqual([]);
});

test('a repair that is cut off goes on under a later snapshot, while the source changes', async () => {
  await using pair = await pairOf(TABLES);
  await pair.source.query(FILL);
  await replicated(pair);
  await pair.source.query(MISSED);
  {
    const stop = new AbortController();
    let chunks = 0;
    const copied = (): void => {
      if (++chunks === 7) stop.abort();
    };
    await using cut = await openTestEngine(pair, {
      progress: { copied, streamed() {}, applied() {}, retained() {}, note() {} },
    });
    await cut.engine.acquire();
    const plan = await planRepair(pair, cut);
    await cut.engine.createSlot(stepsOf(plan, 'create-slot')[0]! satisfies CreateSlot);
    const copy = stepsOf(plan, 'copy-table').find((step) => step.table === 'app.t')!;
    await expect(cut.engine.copyTable(finer(copy), stop.signal)).rejects.toMatchObject({
      name: 'AbortError',
    });
  }
  await pair.source.query(`
    UPDATE app.t SET v = 'later' WHERE id % 1000 = 1; DELETE FROM app.t WHERE id % 1000 = 2;
    INSERT INTO app.t SELECT g, 'later', 0 FROM generate_series(40000, 40100) g; UPDATE app.t SET id = 50000 WHERE id = 3;
    DELETE FROM app.loose WHERE a = 9; INSERT INTO app.loose VALUES (9, 'x')`);
  await using test = await openTestEngine(pair);
  await test.engine.acquire();
  // Without asking for a repair: what was begun is known to be one.
  const plan = await planRepair(pair, test, false);
  expect(stepsOf(plan, 'create-slot')).toEqual([]);
  expect(stepsOf(plan, 'copy-table').every((step) => step.repair === true)).toBe(true);
  for (const step of stepsOf(plan, 'copy-table')) await test.engine.copyTable(finer(step), never);
  await pair.source.query(`UPDATE app.t SET v = 'last' WHERE id % 1500 = 0`);
  for (const step of stepsOf(plan, 'stream-changes')) await finish(test, step);
  await expectEqual(pair, NAMES);
  expect(await pair.target.query('SELECT state FROM xcrepl.links')).toEqual([{ state: 'streaming' }]);
});

const redacted = (config: ConfigInput): ConfigInput => {
  const base = oneTenant(config);
  const columns = {
    'app.people': {
      tenant: 'allow' as const,
      id: 'allow' as const,
      email: { pii: 'email' as const, action: 'hash' as const, key: 'k1' },
    },
    'app.emails': {
      tenant: 'allow' as const,
      email: { pii: 'email' as const, action: 'hash' as const, key: 'k1' },
      n: 'allow' as const,
    },
  };
  return { ...base, tenants: { a: { ...base.tenants!['a']!, columns } } };
};

test('redacted rows are compared through the runner, stay redacted, and another tenant’s are left alone', async () => {
  await using pair = await pairOf(
    `CREATE TABLE app.people (tenant text, id int, email text, PRIMARY KEY (tenant, id));
     CREATE TABLE app.emails (tenant text, email text, n int, PRIMARY KEY (tenant, email))`,
    redacted,
  );
  await pair.source.query(`
    INSERT INTO app.people SELECT t, g, g || '@example.org' FROM unnest('{a,b}'::text[]) t, generate_series(1, 2000) g;
    INSERT INTO app.emails SELECT t, g || '@example.org', g FROM unnest('{a,b}'::text[]) t, generate_series(1, 100) g; ANALYZE`);
  await replicated(pair);
  await pair.target.query(`INSERT INTO app.people VALUES ('c', 1, 'a row of somebody else')`);
  await pair.source.query(`
    UPDATE app.people SET email = 'new@example.org' WHERE id = 7; DELETE FROM app.people WHERE id = 8;
    DELETE FROM app.emails WHERE n = 5; UPDATE app.emails SET email = 'moved@example.org' WHERE n = 6`);
  await using test = await openTestEngine(pair);
  await test.engine.acquire();
  const plan = await planRepair(pair, test);
  await test.engine.createSlot(stepsOf(plan, 'create-slot')[0]!);
  const done: Record<string, Copied> = {};
  for (const step of stepsOf(plan, 'copy-table')) done[step.table] = await test.engine.copyTable(step, never);
  for (const step of stepsOf(plan, 'stream-changes')) await finish(test, step);
  expect(done['app.people']!.rows).toBeLessThan(500);
  // A hashed key cannot be asked for at the source, so the whole part is read.
  expect(done['app.emails']).toMatchObject({ compared: 100, rows: 99, deleted: 100 });
  const compared = await test.engine.compare(
    {
      links: test.stream.links.map((link) => link.id),
      wanted: () => true,
      whole: true,
      sample: 1,
      maxKeysNamed: 20,
      memory: null,
      acquired: true,
    },
    never,
  );
  expect(compared.tables.map((table) => [table.table, table.verdict])).toEqual([
    ['app.emails', 'pass'],
    ['app.people', 'pass'],
  ]);
  expect(await pair.target.query(`SELECT email FROM app.people WHERE email LIKE '%@%'`)).toEqual([]);
  expect(await pair.target.query(`SELECT email FROM app.people WHERE tenant <> 'a'`)).toEqual([
    { email: 'a row of somebody else' },
  ]);
});
