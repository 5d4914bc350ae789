/** Every way in which a slot, a source or a target is no longer what it was: found by doctor and stream in the same words. */

import { expect, test } from 'vitest';
import { diagnose, type Diagnosis } from '../../src/core/report/doctor.ts';
import { linkStatuses } from '../../src/core/report/status.ts';
import { examine } from '../../src/providers/postgres/examine.ts';
import { lookAtSource, lookAtTarget } from '../../src/providers/postgres/status.ts';
import { slotName } from '../../src/core/topology/link.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import type { Pair } from '../harness/pair.ts';
import { expectEqual, pairOf } from './empty-pair.ts';
import { openTestEngine, type TestEngine } from './test-engine.ts';

const never = new AbortController().signal;

const doctor = async (pair: Pair, { stream }: TestEngine): Promise<Diagnosis> => {
  const dsns = new Map([
    [SOURCE_REGION, pair.source.dsn],
    [TARGET_REGION, pair.target.dsn],
  ]);
  return diagnose([await examine(stream, dsns, never)], new Set([stream.links[0]!.id]))[0]!;
};

const status = async (pair: Pair, { stream }: TestEngine) => {
  await using source = await pair.source.connect();
  await using target = await pair.target.connect();
  const look = {
    stream,
    source: await lookAtSource(source, SOURCE_REGION),
    target: await lookAtTarget(target, TARGET_REGION),
    errors: [],
  };
  return linkStatuses([look], new Set([stream.links[0]!.id]))[0]!;
};

const count = (pair: Pair): Promise<unknown[]> => pair.target.query('SELECT count(*) FROM app.t');

interface Case {
  readonly name: string;
  readonly reason: string;
  readonly code: 'XC-5001' | 'XC-5206';
  readonly breaks: (pair: Pair, slot: string) => Promise<void>;
  readonly mends?: (pair: Pair, slot: string) => Promise<void>;
}

const setting = async (pair: Pair, text: string): Promise<void> => {
  await pair.source.query(`ALTER SYSTEM ${text}`);
  await pair.source.query('SELECT pg_reload_conf()');
};

const untilLost = async (pair: Pair, slot: string, push: () => Promise<void>): Promise<void> => {
  const lost = `SELECT FROM pg_replication_slots WHERE slot_name = '${slot}' AND wal_status = 'lost'`;
  for (let tries = 0; tries < 100 && (await pair.source.query(lost)).length === 0; tries++) await push();
};

const drop = async (pair: Pair, slot: string): Promise<void> => {
  await pair.source.query('SELECT pg_drop_replication_slot($1)', [slot]);
};

/** State in the target that can be put back; what happens to slots comes after, each on what the one before left. */
const CASES: readonly Case[] = [
  {
    name: 'another system',
    reason: 'other-source',
    code: 'XC-5206',
    breaks: async ({ target }) =>
      void (await target.query(`UPDATE xcrepl.streams SET source_system = '1' || source_system`)),
    mends: async ({ target }) =>
      void (await target.query('UPDATE xcrepl.streams SET source_system = substr(source_system, 2)')),
  },
  {
    name: 'an older timeline',
    reason: 'other-timeline',
    code: 'XC-5206',
    breaks: async ({ target }) =>
      void (await target.query('UPDATE xcrepl.streams SET source_timeline = source_timeline + 1')),
    mends: async ({ target }) =>
      void (await target.query('UPDATE xcrepl.streams SET source_timeline = source_timeline - 1')),
  },
  {
    name: 'a source that was set back',
    reason: 'source-behind',
    code: 'XC-5206',
    breaks: async ({ target }) =>
      void (await target.query('UPDATE xcrepl.checkpoints SET position = position + 1000000000')),
    mends: async ({ target }) =>
      void (await target.query('UPDATE xcrepl.checkpoints SET position = position - 1000000000')),
  },
  {
    name: 'a target that was restored: its checkpoint is older than the slot',
    reason: 'slot-ahead',
    code: 'XC-5001',
    breaks: async ({ target }) =>
      void (await target.query('UPDATE xcrepl.checkpoints SET position = position - 1000000')),
    mends: async ({ target }) =>
      void (await target.query('UPDATE xcrepl.checkpoints SET position = position + 1000000')),
  },
  {
    name: 'publications that were dropped',
    reason: 'publication-missing',
    code: 'XC-5001',
    breaks: async ({ source }, slot) => void (await source.query(`DROP PUBLICATION ${slot}`)),
    mends: async ({ source }, slot) =>
      void (await source.query(
        `CREATE PUBLICATION ${slot} FOR TABLE app.t WITH (publish_via_partition_root = true)`,
      )),
  },
  {
    name: 'a slot that was moved past the checkpoint by hand',
    reason: 'slot-ahead',
    code: 'XC-5001',
    breaks: async ({ source }, slot) =>
      void (await source.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [slot])),
  },
  {
    name: 'a slot that was dropped and made anew by hand',
    reason: 'slot-ahead',
    code: 'XC-5001',
    breaks: async (pair, slot) => {
      await drop(pair, slot);
      await pair.source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
    },
  },
  {
    name: 'a slot that nobody read for too long',
    reason: 'slot-lost',
    code: 'XC-5001',
    breaks: async (pair, slot) => {
      await setting(pair, `SET idle_replication_slot_timeout = '1s'`);
      await untilLost(pair, slot, async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        await pair.source.query('CHECKPOINT');
      });
      await setting(pair, 'RESET idle_replication_slot_timeout');
    },
  },
  {
    name: 'a slot that held back more than it may',
    reason: 'slot-lost',
    code: 'XC-5001',
    breaks: async (pair, slot) => {
      await drop(pair, slot);
      await pair.source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [slot]);
      await setting(pair, `SET max_slot_wal_keep_size = '1MB'`);
      await untilLost(pair, slot, async () => {
        await pair.source.query(`SELECT pg_logical_emit_message(false, 'ballast', repeat('x', 1000000))`);
        await pair.source.query('SELECT pg_switch_wal()');
        await pair.source.query('CHECKPOINT');
      });
      await setting(pair, 'RESET max_slot_wal_keep_size');
    },
  },
  { name: 'a slot that was dropped', reason: 'slot-missing', code: 'XC-5001', breaks: drop },
];

test('the doctor and every start of a stream find a gap, and say it in the same words', async () => {
  await using pair = await pairOf('CREATE TABLE app.t (id int PRIMARY KEY, v text)');
  await pair.source.query(`INSERT INTO app.t SELECT g, 'v' FROM generate_series(1, 10) g`);
  await using test = await openTestEngine(pair);
  await test.copyAndStream();
  const slot = slotName(test.stream.key);
  const well = await doctor(pair, test);
  expect(['safe', 'duplicate']).toContain(well.verdict);
  expect((await status(pair, test)).state).toBe('streaming');

  for (const { name, reason, code, breaks, mends } of CASES) {
    await pair.source.query(`INSERT INTO app.t SELECT max(id) + 1, $1 FROM app.t`, [name]);
    const before = await count(pair);
    await breaks(pair, slot);
    const found = await doctor(pair, test);
    expect(found, name).toMatchObject({ verdict: 'gap', reason });
    await expect(test.catchUp(), name).rejects.toMatchObject({ code, facts: { reason } });
    const seen = await status(pair, test);
    expect(seen, name).toMatchObject({ state: 'needs-repair', positions: { verdict: 'gap', reason } });
    expect(await count(pair), name).toEqual(before);
    if (!mends) continue;
    await mends(pair, slot);
    expect((await doctor(pair, test)).verdict, name).not.toBe('gap');
    await test.catchUp();
    await expectEqual(pair, ['app.t']);
  }
});

test('what the slot gives again is skipped, and a slot that is behind goes on', async () => {
  await using pair = await pairOf(
    'CREATE TABLE app.t (id int, v text); ALTER TABLE app.t REPLICA IDENTITY FULL',
  );
  await using test = await openTestEngine(pair);
  await test.copyAndStream();
  await pair.source.query(`SELECT pg_copy_logical_replication_slot('${slotName(test.stream.key)}', 'kept')`);
  await pair.source.query(`INSERT INTO app.t SELECT g, 'v' FROM generate_series(1, 10) g`);
  await test.catchUp();
  // The slot as it was before the rows came: what a source that was restarted, or a promoted one, may have.
  await drop(pair, slotName(test.stream.key));
  await pair.source.query(`SELECT pg_copy_logical_replication_slot('kept', '${slotName(test.stream.key)}')`);
  await drop(pair, 'kept');
  expect(await doctor(pair, test)).toMatchObject({ verdict: 'duplicate', reason: 'slot-behind' });
  await pair.source.query(`INSERT INTO app.t VALUES (11, 'v')`);
  await test.catchUp();
  await expectEqual(pair, ['app.t']);
});
