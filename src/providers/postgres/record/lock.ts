/** The lock of a recording: an advisory lock of a session on its source, so that one process writes a log. */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Clock } from '../../../core/time/clock.ts';

/** "xr" in the upper bits; a recording's key is as long as a stream's, and has another prefix than its lock. */
const lockKey = (log: string): string => ((0x7872n << 40n) | BigInt(`0x${log}`)).toString();

const POLL_MS = 250;

/** @throws XcError XC-7002 when it is not free within `waitMs` */
export const takeRecordingLock = async (
  client: Client,
  log: string,
  waitMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> => {
  const deadline = clock.nowMs() + waitMs;
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>(
      'SELECT pg_try_advisory_lock($1::bigint) AS taken',
      [lockKey(log)],
    );
    if (rows[0]?.taken) return;
    if (clock.nowMs() >= deadline) throw await lockedBy(client, log);
    await clock.sleep(POLL_MS, signal);
  }
};

const HOLDER = `
  SELECT a.application_name AS name, a.backend_start AS since
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
   WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
     AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND ((l.classid::bigint << 32) | l.objid::bigint) = $1::bigint`;

const lockedBy = async (client: Client, log: string): Promise<XcError> => {
  const { rows } = await client.query<{ name: string; since: Date }>(HOLDER, [lockKey(log)]);
  const [holder] = rows;
  return new XcError('XC-7002', {
    subject: `recording ${log}`,
    why: holder ? `${holder.name}, since ${holder.since.toISOString()}` : 'another process writes it',
  });
};
