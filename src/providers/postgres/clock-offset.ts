/**
 * How far a server's clock is from ours: Cristian's method, "Probabilistic clock synchronization" (1989). The server's
 * time is taken to be that of the middle of the round trip; of several, the quickest bounds the error best.
 */

import type { Client } from 'pg';
import type { Clock } from '../../core/time/clock.ts';
import type { ObservedClock } from '../../core/validation/observed-server.ts';

const SAMPLES = 5;
/** Our clock counts whole milliseconds. */
const OUR_RESOLUTION_MS = 1;

export const measureClock = async (client: Client, clock: Clock): Promise<ObservedClock> => {
  let best: ObservedClock = { offsetMs: 0, uncertaintyMs: Number.POSITIVE_INFINITY };
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const before = clock.nowMs();
    const { rows } = await client.query<{ ms: number }>(
      'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms',
    );
    const after = clock.nowMs();
    const uncertaintyMs = (after - before) / 2 + OUR_RESOLUTION_MS;
    const serverMs = rows[0]?.ms ?? Number.NaN;
    if (uncertaintyMs < best.uncertaintyMs)
      best = { offsetMs: serverMs - (before + after) / 2, uncertaintyMs };
  }
  return best;
};
