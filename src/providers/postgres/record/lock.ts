/** The lock of a recording: an advisory lock of a session on its source, so that one process writes a log. */

import type { Client } from 'pg';
import type { Clock } from '../../../core/time/clock.ts';
import { takeSessionLock } from '../engine/lock.ts';

/** "xr" in the upper bits; a recording's key is as long as a stream's, and has another prefix than its lock. */
const lockKey = (log: string): string => ((0x7872n << 40n) | BigInt(`0x${log}`)).toString();

/** @throws XcError XC-7002 when it is not free within `waitMs` */
export const takeRecordingLock = async (
  client: Client,
  log: string,
  waitMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> =>
  await takeSessionLock(
    client,
    { key: lockKey(log), subject: `recording ${log}`, facts: { log } },
    waitMs,
    clock,
    signal,
  );
