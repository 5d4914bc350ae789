/**
 * Time and chance come from outside: core asks these ports, so that a test drives the clock and a seed replays a run.
 */

export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Resolves after `ms`, or rejects with the signal's reason as soon as it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

/** RFC 3339 in UTC with milliseconds: the form of every time in a plan, journal or report. */
export const isoTime = (ms: number): string => new Date(ms).toISOString();
