/** Real physical standbys of both sides, and their promotion (CORRECTNESS 18). */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { serverOf } from '../../src/providers/lab/lab-region.ts';
import type { Finding } from '../../src/core/validation/finding.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { pairOf } from '../engine/empty-pair.ts';
import { privateServers } from '../servers/server-pair.ts';
import { caughtUp, promote, standbyOf, stopStandby } from './standby-server.ts';

const WRITE = `INSERT INTO app.t SELECT (SELECT coalesce(max(id), 0) FROM app.t) + g, 'v' FROM generate_series(1, 50) g`;
/** A standby takes a slot over once the stream has moved it past what the standby began with. */
const MAX_RUNS = 15;
const SYNCHRONISING_MS = 300;

test('a promoted standby of either side is gone on with, or the doctor says what is missing and mends it', async () => {
  await using held = new AsyncDisposableStack();
  const servers = held.use(await privateServers(18));
  const pair = held.use(
    await pairOf('CREATE TABLE app.t (id int PRIMARY KEY, v text)', undefined, { servers }),
  );
  const command = async (exit: number, ...args: string[]) => {
    const result = await pair.xcrepl([...args, '-o', 'json']);
    expect(result.exitCode, result.stderr).toBe(exit);
    return result.json() as Record<string, unknown>;
  };
  const run = (...more: string[]) => command(0, 'replication', 'run', ...more);
  const check = async (): Promise<Finding | undefined> => {
    const document = (await pair.xcrepl(['precheck', '-o', 'json'])).json() as Record<string, unknown>;
    const rows = Object.values(document).flatMap((one) => (Array.isArray(one) ? (one as Finding[]) : []));
    return rows.find((finding) => finding.check === 'synchronized-standbys');
  };
  const [onSource, onTarget] = [servers.source, servers.target].map(({ lab, region }) =>
    serverOf(lab, region),
  );

  // The target's standby is away while the stream goes on: what it lacks is asked for again once it is promoted.
  const spare = await standbyOf(onTarget!, pair.target.dsn, 'spare', '', held);
  await pair.source.query(WRITE);
  await run();
  await caughtUp(pair.target, spare);
  await run();
  await stopStandby(spare);
  await pair.source.query(`${WRITE}; UPDATE app.t SET v = 'w' WHERE id <= 10`);
  await run();
  await pair.source.query(WRITE);
  await run();
  expect(await tableDigest(pair.target, 'app.t')).toEqual(await tableDigest(pair.source, 'app.t'));
  await promote(onTarget!, spare);
  await pair.useDsn('target', spare.dsn);
  expect(await run()).toMatchObject({ totals: { copiedRows: 0, changes: 110 } });
  expect(await tableDigest(spare.database, 'app.t')).toEqual(await tableDigest(pair.source, 'app.t'));

  // The source's standby has the slot as well: the stream goes on there.
  const first = await standbyOf(onSource!, pair.source.dsn, 'first', 'sync_replication_slots = on', held);
  expect(await check()).toMatchObject({ verdict: 'fail', seen: expect.stringContaining('first') });
  await pair.source.query(`ALTER SYSTEM SET synchronized_standby_slots = 'first'`);
  await pair.source.query('SELECT pg_reload_conf()');
  const isSynchronised = async (): Promise<boolean> => {
    const rows = await first.database.query(
      'SELECT FROM pg_replication_slots WHERE failover AND synced AND NOT temporary',
    );
    return rows.length === 1;
  };
  for (let runs = 0; runs < MAX_RUNS && !(await isSynchronised()); runs++) {
    await pair.source.query(WRITE);
    await run();
    await sleep(SYNCHRONISING_MS);
  }
  expect(await check()).toMatchObject({ verdict: 'pass' });
  await pair.source.query(WRITE);
  await caughtUp(pair.source, first);
  await promote(onSource!, first);
  await first.database.query(WRITE);
  await pair.useDsn('source', first.dsn);
  expect(await run()).toMatchObject({ totals: { copiedRows: 0, changes: 100 } });
  const source = first.database;
  expect(await tableDigest(spare.database, 'app.t')).toEqual(await tableDigest(source, 'app.t'));

  // The next standby has no slot: what came since is lost, which is told, and mended by what differs.
  await source.query('ALTER SYSTEM RESET synchronized_standby_slots');
  await source.query('SELECT pg_reload_conf()');
  const second = await standbyOf(first.server, first.dsn, 'second', 'sync_replication_slots = off', held);
  await source.query(`${WRITE}; UPDATE app.t SET v = 'x' WHERE id < 5; DELETE FROM app.t WHERE id = 50`);
  await caughtUp(source, second);
  await promote(first.server, second);
  await pair.useDsn('source', second.dsn);
  expect(await command(6, 'replication', 'doctor', '--plan', 'gap.json')).toMatchObject({
    links: [{ verdict: 'gap', reason: 'promoted-without-slot' }],
  });
  await run('--plan', 'gap.json');
  expect(await tableDigest(spare.database, 'app.t')).toEqual(await tableDigest(second.database, 'app.t'));
});
