/** A slot that lost changes stops its stream with a verdict; nothing is quietly begun anew, and the remedy works. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { Client } from 'pg';
import { shopTables } from '../../fixtures/shop/tables.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { withDatabase } from '../harness/test-database.ts';
import { digests } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { withoutHistory } from './server-history.ts';
import { bothStates } from './server-state.ts';

/** Each test leaves both sides equal and the stream whole, so that the next one may break it in another way. */
let pair: Pair;
beforeAll(async () => {
  pair = await makePair({ tenants: ['acme'], scale: 0.02 });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
});
afterAll(() => pair[Symbol.asyncDispose]());

const changeAll = () => pair.source.query(`UPDATE shop.customers SET note = gen_random_uuid()::text`);

const run = (...more: readonly string[]) => pair.xcrepl(['replication', 'run', '-o', 'json', ...more]);
const slotOf = async (): Promise<string> =>
  (
    await pair.source.query<{ name: string }>(
      'SELECT slot_name::text AS name FROM pg_replication_slots WHERE database = current_database()',
    )
  )[0]!.name;

/** By run, simulate, status and doctor; and the servers stay as they are. */
const expectLost = async (why: RegExp, exists = true): Promise<void> => {
  const state = async () => ({ ...withoutHistory(await bothStates(pair)), positions: await positions() });
  const before = await state();
  expectRefusal(await run(), { code: 'XC-5001', exit: 6, says: [why, SOURCE_REGION] });
  expectRefusal(await pair.xcrepl(['replication', 'simulate', '--out', 'plan.json', '-o', 'json']), {
    code: 'XC-5001',
    exit: 6,
  });
  expectRefusal(await run('--follow'), { code: 'XC-5001', exit: 6 });
  const status = await pair.xcrepl(['replication', 'status', '--fail-on', 'findings', '-o', 'json']);
  expect(status.exitCode, status.stderr).toBe(6);
  expect(status.json()).toMatchObject({
    links: [{ state: 'needs-repair', slot: { exists }, why: expect.stringMatching(why) }],
  });
  const doctor = await pair.xcrepl(['replication', 'doctor', '-o', 'json']);
  expect(doctor.exitCode, doctor.stderr).toBe(6);
  expect(doctor.json()).toMatchObject({ links: [{ verdict: 'gap', why: expect.stringMatching(why) }] });
  expect(await state()).toEqual(before);
};

const positions = () => pair.target.query('SELECT slot, position::text FROM xcrepl.checkpoints');

const equal = async (): Promise<void> =>
  expect(await digests(pair.target, shopTables)).toEqual(await digests(pair.source, shopTables));

/** What the doctor says to do: write a plan, and run it. Running it twice is safe. */
const expectRepaired = async (): Promise<void> => {
  const doctor = await pair.xcrepl(['replication', 'doctor', '--plan', 'repair.json', '-o', 'json']);
  expect(doctor.exitCode, doctor.stderr).toBe(6);
  expect(doctor.json()).toMatchObject({ next: ['xcrepl replication run --plan repair.json'] });
  const mended = await run('--plan', 'repair.json');
  expect(mended.exitCode, mended.stderr).toBe(0);
  const { totals } = mended.json() as { totals: { copiedRows: number; verifiedRows: number } };
  expect(totals.copiedRows).toBeGreaterThan(0);
  expect(totals.copiedRows).toBeLessThan(totals.verifiedRows / 2);
  await equal();
  const again = await run('--plan', 'repair.json');
  expect(again.exitCode, again.stderr).toBe(0);
  expect(again.json()).toMatchObject({ totals: { copiedRows: 0 } });
  expect((await pair.xcrepl(['replication', 'doctor'])).exitCode).toBe(0);
};

/** The other way: drop the link, run again, and replace the rows. */
const expectCopiedAnew = async (): Promise<void> => {
  const link = `shop:acme:${SOURCE_REGION}:${TARGET_REGION}`;
  const dropped = await pair.xcrepl(['replication', 'drop', '--link', link, '--confirm', TARGET_REGION]);
  expect(dropped.exitCode, dropped.stderr).toBe(0);
  expectRefusal(await run(), { code: 'XC-5205', exit: 6 });
  const again = await run('--existing', 'replace', '--confirm', TARGET_REGION);
  expect(again.exitCode, again.stderr).toBe(0);
  await equal();
};

test('a wrong source can be corrected as long as nothing was streamed from it', async () => {
  const admin = new Client({ connectionString: withDatabase(pair.target.dsn, 'postgres') });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${pair.source.database} TEMPLATE template0`);
    await pair.useDsn('source', withDatabase(pair.target.dsn, pair.source.database));
    expectRefusal(await run(), { code: 'XC-2014', exit: 7, says: ['no table on the source is named'] });
    await pair.useDsn('source', pair.source.dsn);
    const mended = await run();
    expect(mended.exitCode, mended.stderr).toBe(0);
  } finally {
    await admin.query(`DROP DATABASE ${pair.source.database} WITH (FORCE)`);
    await admin.end();
  }
});

test('dropped', async () => {
  await changeAll();
  await pair.source.query('SELECT pg_drop_replication_slot($1)', [await slotOf()]);
  await expectLost(/slot is missing/, false);
  await expectRepaired();
});

test('moved past the checkpoint by somebody else', async () => {
  await changeAll();
  await pair.source.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [await slotOf()]);
  await expectLost(/past the checkpoint/);
  await expectRepaired();
});

const limit = async (setting: string): Promise<void> => {
  await pair.source.query(`ALTER SYSTEM ${setting}`);
  await pair.source.query('SELECT pg_reload_conf()');
};

const lost = async (): Promise<boolean> =>
  (await pair.source.query(`SELECT FROM pg_replication_slots WHERE wal_status = 'lost'`)).length > 0;

test('invalidated, because it held back more log than max_slot_wal_keep_size', async () => {
  await changeAll();
  await limit(`SET max_slot_wal_keep_size = '1MB'`);
  for (let tries = 0; tries < 50 && !(await lost()); tries += 1) {
    await pair.source.query(`SELECT pg_logical_emit_message(false, 'ballast', repeat('x', 1000000))`);
    await pair.source.query('SELECT pg_switch_wal()');
    await pair.source.query('CHECKPOINT');
  }
  await limit('RESET max_slot_wal_keep_size');
  expect(await lost()).toBe(true);
  await expectLost(/wal_status is lost/);
  await expectCopiedAnew();
});

test('another server under the same name is not the source that the checkpoint belongs to', async () => {
  await changeAll();
  // The target's server has another system identifier.
  const stranger = withDatabase(pair.target.dsn, pair.source.database);
  const admin = new Client({ connectionString: withDatabase(pair.target.dsn, 'postgres') });
  await admin.connect();
  try {
    await admin.query(`CREATE DATABASE ${pair.source.database} TEMPLATE template0`);
    await pair.useDsn('source', stranger);
    expectRefusal(await run(), {
      code: 'XC-5206',
      exit: 6,
      says: [SOURCE_REGION, /system identifier \d+/],
    });
    await pair.useDsn('source', pair.source.dsn);
    const again = await run();
    expect(again.exitCode, again.stderr).toBe(0);
    const doctor = await pair.xcrepl(['replication', 'doctor']);
    expect(doctor.exitCode, doctor.stdout).toBe(0);
  } finally {
    await admin.query(`DROP DATABASE ${pair.source.database} WITH (FORCE)`);
    await admin.end();
  }
});
