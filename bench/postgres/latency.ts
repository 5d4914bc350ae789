/**
 * From the commit at the source to the commit at the target, for every transaction of a steady load of 10,000 rows a
 * second. Both times are read from the servers' logs afterwards: a commit record of the target names the position of the
 * source up to which it goes, and nobody has to ask while it is measured.
 */

import type { TestDatabase } from '../../test/harness/test-database.ts';
import { summary, type Measured, type Sample } from '../pairs.ts';
import { catchUp } from './drain.ts';
import { requireEqual } from './equal.ts';
import type { Receiver } from './receiver.ts';
import type { Scene } from './scene.ts';

const SESSIONS = 4;
const ROWS_A_TRANSACTION = 10;
const TRANSACTIONS_A_SECOND = 10_000 / ROWS_A_TRANSACTION / SESSIONS;

interface Commit {
  readonly position: bigint;
  readonly atMs: number;
}

export const measureLatency = async (scene: Scene, seconds: number, pairs: number): Promise<Measured[]> => {
  const { ours, native, source } = scene;
  for (const database of [source, ours.target])
    await database.query('CREATE EXTENSION IF NOT EXISTS pg_walinspect');
  const measured: { p50: { ours: Sample; theirs: Sample }; p99: { ours: Sample; theirs: Sample } }[] = [];
  await Promise.all([ours.stop(), native.stop()]);
  for (let round = 0; round < pairs; round++) {
    const first = round % 2 === 0 ? ours : native;
    const one = await latencies(first, ours.target, seconds, round * 2);
    const other = await latencies(first === ours ? native : ours, ours.target, seconds, round * 2 + 1);
    const [mine, theirs] = first === ours ? [one, other] : [other, one];
    const at = (share: number) => ({
      ours: { value: quantile(mine, share) },
      theirs: { value: quantile(theirs, share) },
    });
    measured.push({ p50: at(0.5), p99: at(0.99) });
  }
  await ours.start();
  await native.start();
  await catchUp([ours, native]);
  await requireEqual(source, [ours.target, native.target]);
  const what = { against: 'native apply', unit: 'ms', ratio: 'time' } as const;
  return [
    summary(
      { ...what, path: 'latency-p50' },
      measured.map(({ p50 }) => p50),
    ),
    summary(
      { ...what, path: 'latency-p99' },
      measured.map(({ p99 }) => p99),
    ),
  ];
};

const latencies = async (
  receiver: Receiver,
  inspect: TestDatabase,
  seconds: number,
  round: number,
): Promise<number[]> => {
  const { source } = receiver;
  await receiver.start();
  await catchUp([receiver]);
  const begun = { source: await position(source), target: await position(inspect) };
  await load(source, seconds, round);
  const ended = await position(source);
  await catchUp([receiver]);
  await receiver.stop();
  const sent = (await commits(source, begun.source, null)).filter((commit) => commit.position <= ended);
  const arrived = await commits(inspect, begun.target, receiver.target === inspect ? 'xcrepl' : 'pg');
  let next = 0;
  return sent.flatMap(({ position: at, atMs }) => {
    while (next < arrived.length && arrived[next]!.position < at) next++;
    return next < arrived.length ? [arrived[next]!.atMs - atMs] : [];
  });
};

const position = async (database: TestDatabase): Promise<bigint> => {
  const [row] = await database.query<{ at: string }>(
    `SELECT (pg_current_wal_flush_lsn() - '0/0')::text AS at`,
  );
  return BigInt(row!.at);
};

const load = async (source: TestDatabase, seconds: number, round: number): Promise<void> => {
  const sessions = Array.from({ length: SESSIONS }, async (_, session) => {
    await using client = await source.connect();
    const first = 1_000_000_000 + (round * SESSIONS + session) * 10_000_000;
    await client.query(
      `CALL bench.paced(${first}, ${seconds * TRANSACTIONS_A_SECOND}, ${TRANSACTIONS_A_SECOND}, ${ROWS_A_TRANSACTION})`,
    );
  });
  await Promise.all(sessions);
};

/**
 * Commits of a server since a position, by their own position or, where `origin` says whose, by the source's that they
 * carry. PostgreSQL writes "TIME+00; …; origin: node N, lsn X/Y, at TIME" (xactdesc.c).
 */
const commits = async (server: TestDatabase, since: bigint, origin: string | null): Promise<Commit[]> => {
  const rows = await server.query<{ at: string; text: string }>(
    `SELECT (end_lsn - '0/0')::text AS at, description AS text
       FROM pg_get_wal_records_info('0/0'::pg_lsn + $1::numeric, pg_current_wal_flush_lsn())
      WHERE resource_manager = 'Transaction' AND record_type = 'COMMIT' ORDER BY end_lsn`,
    [String(since)],
  );
  const origins = await server.query<{ id: string }>(
    `SELECT roident::text AS id FROM pg_replication_origin WHERE roname LIKE $1`,
    [`${origin}\\_%`],
  );
  const wanted = new Set(origins.map(({ id }) => id));
  return rows.flatMap(({ at, text }): Commit[] => {
    const atMs = commitMs(text);
    if (origin === null) return [{ position: BigInt(at), atMs }];
    const carried = /origin: node (\d+), lsn ([0-9A-F]+)\/([0-9A-F]+)/.exec(text);
    if (!carried || !wanted.has(carried[1]!)) return [];
    return [{ position: (BigInt(`0x${carried[2]}`) << 32n) | BigInt(`0x${carried[3]}`), atMs }];
  });
};

/** Milliseconds with their fraction: Date.parse has whole ones only. */
const commitMs = (text: string): number => {
  const [, second = '', fraction = '0'] = /^(\d+-\d+-\d+ \d+:\d+:\d+)(?:\.(\d+))?\+00/.exec(text) ?? [];
  return Date.parse(`${second.replace(' ', 'T')}Z`) + Number(`0.${fraction}`) * 1000;
};

const quantile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};
