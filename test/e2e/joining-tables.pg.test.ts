/** Tables come to links that stream, and leave them, under traffic; and the runner is killed inside every step of that. */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunReport } from '../../src/core/report/report.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { slotsOf } from '../engine/many-links.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { until } from './until.ts';

const ONCE = ['replication', 'run', '--lock-timeout', '60s', '-o', 'json'];
const TABLE = '(tenant text, id int, v int NOT NULL, PRIMARY KEY (tenant, id))';

/** Where a run can be made to wait inside a step: a row of public.hold names the place. */
const HOLDS = `
  CREATE TABLE public.hold (place text);
  CREATE FUNCTION public.hold_here() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF EXISTS (SELECT FROM public.hold WHERE place = TG_ARGV[0]) THEN PERFORM pg_advisory_xact_lock(42); END IF;
    RETURN coalesce(new, old);
  END $$;
  CREATE TRIGGER begin BEFORE INSERT ON xcrepl.carried_tables FOR EACH ROW EXECUTE FUNCTION public.hold_here('begin');
  CREATE TRIGGER copied BEFORE UPDATE ON xcrepl.carried_tables FOR EACH ROW
    WHEN (new.consistent_at IS NOT NULL AND old.consistent_at IS NULL) EXECUTE FUNCTION public.hold_here('copied');
  CREATE TRIGGER settle BEFORE UPDATE ON xcrepl.carried_tables FOR EACH ROW
    WHEN (new.slot IS NULL AND old.slot IS NOT NULL) EXECUTE FUNCTION public.hold_here('settle');
  CREATE TRIGGER remove BEFORE DELETE ON xcrepl.carried_tables FOR EACH ROW EXECUTE FUNCTION public.hold_here('remove');
  CREATE TRIGGER chunk BEFORE UPDATE ON xcrepl.copy_chunks FOR EACH ROW
    WHEN (new.done_at IS NOT NULL) EXECUTE FUNCTION public.hold_here('chunk');
  CREATE TRIGGER catch_up BEFORE UPDATE ON xcrepl.checkpoints FOR EACH ROW
    WHEN (old.slot LIKE 'xcrepl\\_c\\_%' AND new.position > old.position) EXECUTE FUNCTION public.hold_here('catch up');
  CREATE TRIGGER forget BEFORE DELETE ON xcrepl.checkpoints FOR EACH ROW EXECUTE FUNCTION public.hold_here('forget');
  ALTER TABLE xcrepl.carried_tables ENABLE ALWAYS TRIGGER begin;
  ALTER TABLE xcrepl.copy_chunks ENABLE ALWAYS TRIGGER chunk;
  ALTER TABLE xcrepl.checkpoints ENABLE ALWAYS TRIGGER catch_up;`;

let pair: Pair;
/** Tables that are written to now. */
const tables = new Set(['app.items']);
const writing = new AbortController();
let written: Promise<void>;

const named = (...app: string[]): Promise<void> =>
  pair.configure((config) => ({
    ...config,
    tenants: { all: { scope: { kind: 'column', column: 'tenant', value: 'a' } } },
    rules: [
      { id: 'app', tenants: ['all'], tables: app, from: SOURCE_REGION, to: [TARGET_REGION] },
      {
        id: 'own',
        tenants: ['all'],
        tables: ['own.*'],
        from: SOURCE_REGION,
        to: [TARGET_REGION],
        ddl: 'additive',
      },
    ],
  }));

const create = async (
  table: string,
  sides: readonly ('source' | 'target')[] = ['source', 'target'],
): Promise<void> => {
  for (const side of sides) await pair[side].query(`CREATE TABLE ${table} ${TABLE}`);
  await pair.source.query(
    `INSERT INTO ${table} SELECT t, i, 0 FROM unnest('{a,b}'::text[]) t, generate_series(1, 400) i`,
  );
  tables.add(table);
};

beforeAll(async () => {
  pair = await makePair({
    fixture: 'empty',
    sql: `CREATE SCHEMA app; CREATE SCHEMA own; CREATE TABLE app.items ${TABLE};
    CREATE TABLE own.first ${TABLE}`,
  });
  await named('app.*');
  await pair.source.query(`INSERT INTO app.items SELECT 'a', i, 0 FROM generate_series(1, 400) i`);
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  const first = await pair.xcrepl(ONCE);
  expect(first.exitCode, first.stderr).toBe(0);
  await pair.target.query(HOLDS);
  written = write();
});
afterAll(async () => {
  writing.abort();
  await written;
  await pair[Symbol.asyncDispose]();
});

/** Every table that there is, in every transaction: updates, deletes, inserts, and keys that change. */
const write = async (): Promise<void> => {
  await using client = await pair.source.connect();
  for (let round = 0; !writing.signal.aborted; round++) {
    const sql = [...tables].map(
      (table) => `UPDATE ${table} SET v = v + 1 WHERE id % 40 = ${round % 40};
        DELETE FROM ${table} WHERE id = ${200 + (round % 100)};
        INSERT INTO ${table} VALUES ('a', ${200 + (round % 100)}, 7), ('b', ${10_000 + round}, 1);
        UPDATE ${table} SET id = id + 20000 WHERE id = ${10_000 + round}`,
    );
    await client.query(`BEGIN; ${sql.join(';')}; COMMIT`);
    await sleep(25);
  }
};

interface StatusDocument {
  readonly links: readonly { readonly joining: readonly unknown[] }[];
}

const runOnce = async (): Promise<{ exit: number | null; report: RunReport }> => {
  const { exitCode, stdout, stderr } = await pair.xcrepl(ONCE);
  if (stdout === '') throw new Error(stderr);
  return { exit: exitCode ?? null, report: JSON.parse(stdout) as RunReport };
};

/** Starts a run, and kills it inside the step that gets to this place. */
const killedAt = async (place: string): Promise<void> => {
  await using holder = await pair.target.connect();
  await holder.query('SELECT pg_advisory_lock(42)');
  await pair.target.query('INSERT INTO public.hold VALUES ($1)', [place]);
  const runner = pair.spawnXcrepl(ONCE);
  let over = false;
  const ended = runner.then((end) => {
    over = true;
    return end;
  });
  await until(`a run that waits at: ${place}`, async () => {
    if (over) throw new Error(`it ended before ${place}: ${(await ended).stderr}`);
    const waiting = await pair.target.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`,
    );
    return waiting.length > 0;
  });
  runner.kill('SIGKILL');
  await ended;
  await pair.target.query('DELETE FROM public.hold');
  // Its session at the target still waits, and ends when it finds that nobody is there.
  await holder.query('SELECT pg_advisory_unlock(42)');
};

const carried = async (): Promise<string[]> =>
  (
    await pair.target.query<{ name: string }>(
      `SELECT table_name || coalesce(' on ' || slot, '') AS name FROM xcrepl.carried_tables ORDER BY 1`,
    )
  ).map(({ name }) => name);

/** Traffic stands; the tenant's rows are the same on both sides, and nothing of another's came along. */
const expectSame = async (...names: string[]): Promise<void> => {
  const ours = names.map((name) => `(SELECT * FROM ${name} WHERE tenant = 'a')`);
  const read = (side: 'source' | 'target') =>
    pair[side].query<{ digest: string }>(
      ours
        .map((rows) => `SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) AS digest FROM ${rows} t`)
        .join(' UNION ALL '),
    );
  expect(await read('target')).toEqual(await read('source'));
  for (const name of names)
    expect(await pair.target.query(`SELECT FROM ${name} WHERE tenant <> 'a'`)).toEqual([]);
};

test('a run that is killed inside any step of a table’s joining or leaving is taken up by the next', async () => {
  await create('app.late');
  for (const place of ['begin', 'chunk']) await killedAt(place);
  const status = (await pair.xcrepl(['replication', 'status', '-o', 'json'])).json() as StatusDocument;
  expect(status.links.flatMap(({ joining }) => joining)).toEqual([
    { table: 'app.late', slot: expect.stringMatching(/^xcrepl_c_/), state: 'copying' },
  ]);
  for (const place of ['copied', 'catch up', 'settle', 'forget']) await killedAt(place);
  const joined = await runOnce();
  expect(joined.exit, JSON.stringify(joined.report.errors)).toBe(0);
  expect(await carried()).toEqual(['app.items', 'app.late', 'own.first']);
  expect(await slotsOf(pair)).toHaveLength(1);

  await named('app.items');
  await killedAt('remove');
  const left = await runOnce();
  expect(left.exit).toBe(0);
  expect(left.report.findings).toContainEqual(
    expect.objectContaining({ code: 'XC-5253', seen: expect.stringContaining('rows on the target stay') }),
  );
  expect(await pair.target.query(`SELECT FROM xcrepl.link_tables WHERE table_name = 'app.late'`)).toEqual([]);
  expect(await pair.target.query('SELECT FROM app.late LIMIT 1')).toHaveLength(1);
  expect(await carried()).toEqual(['app.items', 'own.first']);
});

test('a run that follows takes in what its rules come to name, and lets go what they no longer do', async () => {
  await named('app.*');
  const runner = pair.spawnXcrepl([...ONCE, '--follow', '-v'], { timeoutMs: 280_000 });
  let said = '';
  runner.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  await until('it follows', () => said.includes('verify'));

  // Rows are written to both from the beginning: one waits for the target, the other is made there.
  await create('app.later', ['source']);
  await create('own.made', ['source']);
  await until('the statement', () => /CREATE TABLE IF NOT EXISTS "app"."later" [^;]*;/.test(said));
  expect(said).toContain('XC-5250');
  await pair.target.query(/CREATE TABLE IF NOT EXISTS "app"."later" [^;]*;/.exec(said)![0]);
  const joined = async (): Promise<boolean> => {
    const names = await carried();
    return names.includes('app.later') && names.includes('own.made');
  };
  await until('both have joined', joined);

  // What was carried before has its rows on the target: it is not copied over them, and keeps out none of the others.
  expect(said).toContain('XC-5205');
  expect(await carried()).not.toContain('app.late');
  await named('app.items', 'app.later');
  const published = (): Promise<unknown[]> =>
    pair.source.query(`SELECT FROM pg_publication_tables WHERE tablename = 'late'`);
  await until('it is off the publication', async () => (await published()).length === 0);
  runner.kill('SIGTERM');
  expect((await runner).exitCode).toBe(143);

  writing.abort();
  await written;
  const last = await runOnce();
  expect(last.exit, JSON.stringify(last.report.errors)).toBe(0);
  await expectSame('app.items', 'app.later', 'own.made');
  expect(await slotsOf(pair)).toHaveLength(1);
  expect(await carried()).toEqual(['app.items', 'app.later', 'own.first', 'own.made']);
});
