/**
 * The time that precheck has, cut into the times that its stages have: every stage ends early enough that the ones after
 * it, and the report, still fit in, so that whatever hangs becomes a row and never a hang.
 */

import { nameLookup, type Lookup } from '../../providers/http/lookup.ts';

export const DEFAULT_TIMEOUT_MS = 15_000;

export interface Deadline {
  /** Of everything that is looked at; what is left after it belongs to the report. */
  readonly totalMs: number;
  /** Secrets, names, connections. */
  readonly reachMs: number;
  /** Aborts when secrets, names and connections must be there, counted from the start. */
  readonly reach: AbortSignal;
  /** Aborts when everything must be known. */
  readonly total: AbortSignal;
  /** Whether a host's name resolves before `reach` aborts. */
  readonly lookup: (host: string) => Promise<Lookup>;
}

/** Share of the time that is kept for the report, and its bounds. */
const REPORT_SHARE = 0.2;
const REPORT_MAX_MS = 1_500;
/** Reading a catalogue takes longer than reaching its server. */
const REACH_SHARE = 0.6;

export const startDeadline = (timeoutMs: number, interrupted: AbortSignal): Deadline => {
  const totalMs = Math.max(1, timeoutMs - Math.min(REPORT_MAX_MS, timeoutMs * REPORT_SHARE));
  const reachMs = Math.max(1, totalMs * REACH_SHARE);
  const reach = AbortSignal.any([interrupted, AbortSignal.timeout(Math.round(reachMs))]);
  return {
    totalMs: Math.round(totalMs),
    reachMs: Math.round(reachMs),
    reach,
    lookup: nameLookup(reach),
    total: AbortSignal.any([interrupted, AbortSignal.timeout(Math.round(totalMs))]),
  };
};

/** Waits for work no longer than the signal lets it; the work itself goes on unseen, for it could not be told to stop. */
export const within = async <T>(signal: AbortSignal, work: Promise<T>): Promise<T> => {
  work.catch(() => {});
  signal.throwIfAborted();
  const done = new AbortController();
  const late = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), {
      once: true,
      signal: done.signal,
    });
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
};
