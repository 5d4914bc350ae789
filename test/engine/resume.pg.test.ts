/** Copies and streams that are cut off and go on: under a later snapshot, past broken connections, from a stale runner. */

import { describe, expect, test } from 'vitest';
import { SHOP_TABLES } from '../../fixtures/shop/tables.ts';
import { traffic } from '../../fixtures/shop/traffic.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { digests } from '../harness/table-digest.ts';
import { initTarget, openTestEngine } from './test-engine.ts';

const tables = Object.values(SHOP_TABLES).map((table) => table.name);
const TENANTS = ['acme', 'initech', 'umbra'];

const never = new AbortController().signal;

const write = async (pair: Pair, seed: number, transactions: number): Promise<void> => {
  await using client = await pair.source.connect();
  await traffic(client, { seed, tenants: TENANTS, transactions, signal: never });
};

const expectEqual = async (pair: Pair): Promise<void> =>
  expect(await digests(pair.target, tables)).toEqual(await digests(pair.source, tables));

describe('resume', () => {
  test.each([3, 11, 29])(
    'a copy cut off after %i chunks goes on under a later snapshot, while the source changes',
    async (kept) => {
      await using pair = await makePair({ tenants: TENANTS });
      await initTarget(pair);
      {
        const stop = new AbortController();
        let chunks = 0;
        const copied = (): void => {
          if (++chunks === kept) stop.abort();
        };
        await using first = await openTestEngine(pair, {
          copyWorkers: 1,
          progress: { copied, streamed() {}, applied() {}, retained() {}, note() {} },
        });
        await first.engine.acquire();
        await first.publish();
        await first.createSlot();
        const copies = async (): Promise<void> => {
          for (const step of await first.copySteps(5)) await first.engine.copyTable(step, stop.signal);
        };
        await expect(copies()).rejects.toMatchObject({ name: 'AbortError' });
      }
      await write(pair, 100 + kept, 200);
      await using second = await openTestEngine(pair);
      await second.engine.acquire();
      for (const step of await second.copySteps(5)) await second.engine.copyTable(step, never);
      await write(pair, 200 + kept, 100);
      const states = await pair.target.query('SELECT DISTINCT state FROM xcrepl.links');
      expect(states).toEqual([{ state: 'copying' }]);
      await second.catchUp();
      await expectEqual(pair);
      expect(await pair.target.query('SELECT DISTINCT state FROM xcrepl.links')).toEqual([
        { state: 'streaming' },
      ]);
    },
  );

  test('connections that break while it streams are made again, and nothing is lost or doubled', async () => {
    await using pair = await makePair({ tenants: TENANTS });
    await initTarget(pair);
    await using engine = await openTestEngine(pair);
    await engine.copyAndStream();
    const stop = new AbortController();
    const streaming = engine.engine.streamChanges(
      {
        id: 's',
        kind: 'stream-changes',
        stream: engine.stream.key,
        dependsOn: [],
        slot: `xcrepl_s_${engine.stream.key}`,
        until: 'stopped',
      },
      { until: null, signal: stop.signal },
    );
    for (let round = 0; round < 6; round++) {
      await write(pair, 300 + round, 60);
      const side = round % 2 === 0 ? pair.source : pair.target;
      await side.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name LIKE 'xcrepl test%'`,
      );
    }
    await write(pair, 400, 60);
    stop.abort();
    await streaming;
    expect(engine.notes.length).toBeGreaterThan(0);
    await engine.catchUp();
    await expectEqual(pair);
  });

  test('a connection that breaks behind the last copy, before its links stream, is made again', async () => {
    await using pair = await makePair({ tenants: ['acme'], scale: 0.01 });
    await initTarget(pair);
    await using engine = await openTestEngine(pair);
    await engine.engine.acquire();
    await engine.publish();
    await engine.createSlot();
    const steps = await engine.copySteps(1);
    for (const step of steps) await engine.engine.copyTable(step, never);
    const until = await engine.engine.sourcePosition();
    await using blocker = await pair.source.connect();
    await blocker.query(`BEGIN; LOCK TABLE ${steps[0]!.table} IN ACCESS EXCLUSIVE MODE`);
    const { slot } = steps[0]!;
    const step = {
      id: 's',
      kind: 'stream-changes',
      stream: engine.stream.key,
      dependsOn: [],
      slot,
      until: 'source-position-at-start',
    } as const;
    const streaming = engine.engine.streamChanges(step, { until, signal: never });
    streaming.catch(() => undefined);
    const ended = (): Promise<unknown[]> =>
      pair.source.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name LIKE 'xcrepl test%' AND wait_event_type = 'Lock'`,
      );
    await expect.poll(ended, { timeout: 60_000, interval: 50 }).not.toEqual([]);
    await blocker.query('ROLLBACK');
    await streaming;
    expect(engine.notes.join()).toContain('trying again');
    await expectEqual(pair);
  });

  test('a run that was taken over cannot write any more', async () => {
    await using pair = await makePair({ tenants: ['acme'] });
    await initTarget(pair);
    await using first = await openTestEngine(pair);
    await first.copyAndStream();
    await pair.target.query(`UPDATE xcrepl.checkpoints SET runner = 'rn_other'`);
    await write(pair, 5, 20).catch(() => {});
    await pair.source.query(`UPDATE shop.customers SET email = 'x@example.org' WHERE tenant_id = 'acme'`);
    await expect(first.catchUp()).rejects.toMatchObject({ code: 'XC-7002' });
  });

  test('a newer epoch on the target ends the run', async () => {
    await using pair = await makePair({ tenants: ['acme'] });
    await initTarget(pair);
    await using first = await openTestEngine(pair);
    await first.copyAndStream();
    await pair.target.query(`SELECT setval('xcrepl.epoch', last_value + 1) FROM xcrepl.epoch`);
    await pair.source.query(`UPDATE shop.customers SET email = 'y@example.org' WHERE tenant_id = 'acme'`);
    await expect(first.catchUp()).rejects.toMatchObject({ code: 'XC-3002' });
  });

  test('a second run is told who holds the stream', async () => {
    await using pair = await makePair({ tenants: ['acme'] });
    await initTarget(pair);
    await using first = await openTestEngine(pair);
    await first.engine.acquire();
    await using second = await openTestEngine(pair);
    await expect(second.engine.acquire()).rejects.toMatchObject({
      code: 'XC-7002',
      facts: { host: 'test', pid: process.pid },
    });
  });

  test('a slot that was moved past the checkpoint does not start quietly', async () => {
    await using pair = await makePair({ tenants: ['acme'] });
    await initTarget(pair);
    await using first = await openTestEngine(pair);
    await first.copyAndStream();
    await pair.source.query(`UPDATE shop.customers SET email = 'z@example.org' WHERE tenant_id = 'acme'`);
    await pair.source.query(
      `SELECT pg_replication_slot_advance('xcrepl_s_${first.stream.key}', pg_current_wal_lsn())`,
    );
    await expect(first.catchUp()).rejects.toMatchObject({ code: 'XC-5001' });
    await pair.source.query(`SELECT pg_drop_replication_slot('xcrepl_s_${first.stream.key}')`);
    await expect(first.catchUp()).rejects.toMatchObject({ code: 'XC-5001' });
  });

  test('rows that are on the target before the first copy are not copied over', async () => {
    await using pair = await makePair({ tenants: ['acme'] });
    await initTarget(pair);
    {
      await using first = await openTestEngine(pair);
      await first.copyAndStream();
      expect(await first.engine.dropLink(first.stream.links[0]!.id)).toHaveLength(5);
    }
    {
      await using second = await openTestEngine(pair);
      await second.engine.acquire();
      await second.publish();
      await expect(second.createSlot()).rejects.toMatchObject({ code: 'XC-5205' });
    }
    await using third = await openTestEngine(pair, { existing: 'replace' });
    await third.copyAndStream();
    await expectEqual(pair);
  });
});
