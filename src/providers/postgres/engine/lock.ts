/**
 * The stream's lock: an advisory lock of a session on the target. It dies with its process, so there is never a stale
 * one; who holds it stands in that session's application_name.
 */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Clock } from '../../../core/time/clock.ts';
import type { StreamKey } from '../../../core/topology/link.ts';

/** "xc" in the upper bits keeps our keys apart from an application's own; the stream key's 40 bits below. */
export const lockKey = (stream: StreamKey): string => ((0x7863n << 40n) | BigInt(`0x${stream}`)).toString();

const POLL_MS = 250;

/** What is locked: the key that no other thing has, and how an error calls it. */
interface Lockable {
  readonly key: string;
  readonly subject: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** @throws XcError XC-7002 naming host, pid and since, when the lock is not free within `waitMs` */
export const takeLock = async (
  client: Client,
  stream: StreamKey,
  waitMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> =>
  await takeSessionLock(
    client,
    { key: lockKey(stream), subject: `stream ${stream}`, facts: { stream } },
    waitMs,
    clock,
    signal,
  );

/** The same for whatever a session may hold alone. */
export const takeSessionLock = async (
  client: Client,
  wanted: Lockable,
  waitMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  const deadline = clock.nowMs() + waitMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>(
      'SELECT pg_try_advisory_lock($1::bigint) AS taken',
      [wanted.key],
    );
    if (rows[0]?.taken) return;
    if (clock.nowMs() >= deadline) throw await lockedBy(client, wanted);
    await clock.sleep(POLL_MS, signal);
  }
};

/** $1 is the key. Its columns of other roles' sessions are NULL but for pid and name. */
export const HOLDER = `
  SELECT l.pid, a.application_name AS name, a.backend_start AS since
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
   WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint`;

const NAME = /^xcrepl (.+):(\d+) (\S+)$/;

/** Who a session is, in words; null where its name is not one of ours. */
export const nameHolder = (name: string): string | null => {
  const who = NAME.exec(name);
  return who && `run ${who[3]} on host ${who[1]}, pid ${who[2]}`;
};

const lockedBy = async (client: Client, { key, subject, facts }: Lockable): Promise<XcError> => {
  const { rows } = await client.query<{ name: string; since: Date | null }>(HOLDER, [key]);
  const [holder] = rows;
  const who = NAME.exec(holder?.name ?? '');
  const since = holder?.since?.toISOString() ?? 'unknown';
  return new XcError('XC-7002', {
    subject,
    why: who
      ? `host ${who[1]}, pid ${who[2]}, since ${since}`
      : `session "${holder?.name ?? 'gone meanwhile'}", since ${since}`,
    facts: {
      ...facts,
      host: who?.[1] ?? null,
      pid: who ? Number(who[2]) : null,
      run: who?.[3] ?? null,
      since,
    },
  });
};
