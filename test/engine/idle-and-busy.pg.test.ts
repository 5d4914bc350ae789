/** Streams that have nothing to carry while their source is busy, and streams whose target does not keep up. */

import { expect, test } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { slotName } from '../../src/core/topology/link.ts';
import { Heartbeat } from '../../src/providers/postgres/engine/heartbeat.ts';
import { parseLsn, type Lsn } from '../../src/core/change/lsn.ts';
import { connect, disconnect } from '../../src/providers/postgres/connect.ts';
import { until } from '../e2e/until.ts';
import type { Pair } from '../harness/pair.ts';
import { SOURCE_REGION } from '../servers/server-pair.ts';
import { expectEqual, oneTenant, pairOf } from './empty-pair.ts';
import { openTestEngine, type TestEngine } from './test-engine.ts';

const follow = (engine: TestEngine, signal: AbortSignal): Promise<unknown> =>
  engine.engine.streamChanges(
    {
      id: 's',
      kind: 'stream-changes',
      stream: engine.stream.key,
      dependsOn: [],
      slot: slotName(engine.stream.key),
      until: 'stopped',
    },
    { until: null, signal },
  );

const lsnOf = async (side: Pair['source'], sql: string, ...values: string[]): Promise<Lsn> => {
  const [row] = await side.query(`SELECT (${sql})::text AS lsn`, values);
  return parseLsn((row as { lsn: string }).lsn);
};

const confirmed = (pair: Pair, slot: string): Promise<Lsn> =>
  lsnOf(pair.source, 'SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = $1', slot);
const checkpoint = (pair: Pair, slot: string): Promise<Lsn> =>
  lsnOf(pair.target, 'SELECT position FROM xcrepl.checkpoints WHERE slot = $1', slot);
const written = (pair: Pair): Promise<Lsn> => lsnOf(pair.source, 'SELECT pg_current_wal_flush_lsn()');

/** Log of other tenants and of tables that nobody carries. */
const BUSY = `INSERT INTO app.t SELECT 'b', g, 'x' FROM generate_series((SELECT count(*) FROM app.t), (SELECT count(*) FROM app.t) + 2000) AS g;
              INSERT INTO public.noise SELECT repeat('n', 100) FROM generate_series(1, 3000)`;

const TABLE = `CREATE TABLE app.t (tenant text, id int, v text, PRIMARY KEY (tenant, id)); CREATE TABLE public.noise (v text)`;

const smallLimit = (config: ConfigInput): ConfigInput => {
  const { [SOURCE_REGION]: region, ...regions } = oneTenant(config).regions;
  const postgres = { ...region!.postgres!, retainedWal: { limit: '256KiB' } };
  return { ...oneTenant(config), regions: { ...regions, [SOURCE_REGION]: { ...region!, postgres } } };
};

test('a link without changes moves its checkpoint and its slot past what others write, and messages pass without harm', async () => {
  await using pair = await pairOf(TABLE, smallLimit);
  await using engine = await openTestEngine(pair, { upkeep: { heartbeatMs: null } });
  const slot = slotName(engine.stream.key);
  await engine.copyAndStream();
  await pair.source.query(BUSY);
  const before = await written(pair);

  // Nobody drains it: the log that it holds back is past half of the headroom.
  const { stdout } = await pair.xcrepl(['replication', 'status', '-o', 'json']);
  const [status] = (JSON.parse(stdout) as { links: { retained: object }[] }).links;
  expect(status?.retained).toMatchObject({
    limitBytes: 256 * 1024,
    alarm: expect.stringContaining('of log, of 256.0 KiB that the disk is given'),
  });

  const stop = new AbortController();
  const following = follow(engine, stop.signal);
  await until(
    'checkpoint and slot past what others wrote',
    async () => (await checkpoint(pair, slot)) >= before && (await confirmed(pair, slot)) >= before,
  );

  await pair.source.query(`
    SELECT pg_logical_emit_message(false, 'somebody', 'else'), pg_logical_emit_message(true, 'xcrepl', '\\x00ff'::bytea)`);
  await pair.source.query(`
    BEGIN; INSERT INTO app.t VALUES ('a', 1, 'x'); SELECT pg_logical_emit_message(true, 'in', 'between');
    SELECT pg_logical_emit_message(false, 'and', 'beside'); UPDATE app.t SET v = 'y' WHERE tenant = 'a'; COMMIT`);
  const after = await written(pair);
  await until('slot past the messages', async () => (await confirmed(pair, slot)) >= after);
  await expectEqual(pair, ['app.t'], "tenant = 'a'");
  expect(await checkpoint(pair, slot)).toBeGreaterThanOrEqual(await confirmed(pair, slot));
  stop.abort();
  await following;
});

test('a heartbeat is written where the log moved and the stream did not, and by nobody who may not', async () => {
  await using pair = await pairOf(TABLE, oneTenant);
  const role = `beat_${process.pid}`;
  const notes: string[] = [];
  const client = await connect(pair.source.dsn, { subject: SOURCE_REGION });
  try {
    const heartbeat = new Heartbeat((text) => notes.push(text));
    const position = await written(pair);
    expect([await heartbeat.beat(client, position), await heartbeat.beat(client, position)]).toEqual([
      false,
      false,
    ]);
    await pair.source.query(BUSY);
    expect(await heartbeat.beat(client, position)).toBe(true);
    expect(await heartbeat.beat(client, await written(pair))).toBe(false);

    await client.query(
      `CREATE ROLE ${role}; REVOKE EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean) FROM PUBLIC`,
    );
    await client.query(`SET ROLE ${role}`);
    expect([await heartbeat.beat(client, position), await heartbeat.beat(client, position)]).toEqual([
      false,
      false,
    ]);
    expect([await heartbeat.beat(client, position), notes]).toEqual([
      false,
      [expect.stringContaining('no heartbeat')],
    ]);
  } finally {
    await client.query('RESET ROLE');
    await client.query(`DROP ROLE ${role}`);
    await disconnect(client);
  }
});

/** Who sends, and up to where; once somebody does. */
const SENT = `SELECT r.pid, (r.sent_lsn - '0/0')::text AS sent FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid
               WHERE s.slot_name = $1 AND r.sent_lsn IS NOT NULL`;
const MIB = 2n ** 20n;

test('a target that is blocked leaves the socket unread, answers the server all the same, and gets everything afterwards', async () => {
  await using pair = await pairOf(
    'CREATE TABLE app.t (id int PRIMARY KEY, v text); ALTER TABLE app.t ALTER v SET STORAGE EXTERNAL',
  );
  await pair.source.query(`ALTER DATABASE "${pair.source.database}" SET wal_sender_timeout = '3s'`);
  await using engine = await openTestEngine(pair);
  const slot = slotName(engine.stream.key);
  await engine.copyAndStream();
  const begin = await written(pair);
  await using blocker = await pair.target.connect();
  await blocker.query('BEGIN; LOCK TABLE app.t IN SHARE MODE');
  for (let from = 0; from < 2_000; from += 100)
    await pair.source.query(
      `INSERT INTO app.t SELECT ${from} + g, v FROM generate_series(1, 100) AS g,
         (SELECT string_agg(md5(i::text), '') AS v FROM generate_series(1, 1000) AS i OFFSET 0) AS big`,
    );
  const end = await written(pair);
  expect(end - begin).toBeGreaterThan(60n * MIB);
  const caughtUp = engine.catchUp();
  const looks: { readonly pid: number; readonly sent: string }[] = [];
  // Longer than wal_sender_timeout, and it stands.
  await until('the sender stands', async () => {
    looks.push(...(await pair.source.query<{ pid: number; sent: string }>(SENT, [slot])));
    const last = looks.at(-1);
    return (
      looks.length > 50 && looks.slice(-50).every(({ pid, sent }) => pid === last?.pid && sent === last.sent)
    );
  });
  const sent = BigInt(looks.at(-1)!.sent) - begin;
  expect(sent).toBeGreaterThan(8n * MIB);
  expect(sent).toBeLessThan(45n * MIB);
  await blocker.query('COMMIT');
  expect((await caughtUp).changes).toBe(2_000);
  await expectEqual(pair, ['app.t']);
});
