/**
 * How often, and after which waits, a store is asked again. All stores wait here and nowhere else: the SDKs' own retries
 * are off, so that attempts are not multiplied, a Retry-After is kept, and a signal ends every wait.
 */

import type { Clock } from '../time/clock.ts';
import { behaviourOf, retryAfterMs } from './store-errors.ts';

export interface Patience {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Failures in a row before the last one is the caller's. */
  readonly attempts: number;
  /** After the first failure; doubled after each further one, to a limit. Milliseconds. */
  readonly firstWaitMs: number;
}

/** Together some eight seconds: a server that restarts, or an election among its disks. */
const ATTEMPTS = 6;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 20_000;
/** A store that asks for more is not waited for: its error, which says how long, is the caller's. */
const LONGEST_ASKED_MS = 300_000;

export const storePatience = (clock: Clock, signal = new AbortController().signal): Patience => ({
  clock,
  signal,
  attempts: ATTEMPTS,
  firstWaitMs: FIRST_WAIT_MS,
});

/** Waits before the next attempt, as long as the store asked for; throws the error where there is to be none. */
export const waitOrThrow = async (error: unknown, failures: number, patience: Patience): Promise<void> => {
  const asked = retryAfterMs(error);
  if (failures >= patience.attempts || (asked ?? 0) > LONGEST_ASKED_MS) throw error;
  const wait = asked ?? Math.min(patience.firstWaitMs * 2 ** (failures - 1), LONGEST_WAIT_MS);
  await patience.clock.sleep(wait, patience.signal);
};

/**
 * The request, again while it fails with what passes by itself.
 *
 * An attempt whose answer was lost may have been carried out, and the next one then meets its own work: a condition no
 * longer holds, or the upload is gone. `settled` looks whether what was asked for is there, and is the answer if so.
 */
export const retried = async <T>(
  work: () => Promise<T>,
  patience: Patience,
  settled?: () => Promise<T | null>,
): Promise<T> => {
  for (let failures = 0; ;) {
    patience.signal.throwIfAborted();
    try {
      return await untilAborted(work(), patience.signal);
    } catch (error) {
      patience.signal.throwIfAborted();
      const behaviour = behaviourOf(error);
      if (failures > 0 && settled && (behaviour === 'precondition' || behaviour === 'gone')) {
        const there = await retried(settled, patience);
        if (there !== null) return there;
      }
      if (behaviour !== 'retry') throw error;
      failures += 1;
      await waitOrThrow(error, failures, patience);
    }
  }
};

/** The work, or the signal's reason as soon as it aborts; what was sent by then dies with its connection. */
const untilAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => {
    reject(signal.reason);
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
};
