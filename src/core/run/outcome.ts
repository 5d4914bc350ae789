/** How a run ended, and the exit code that says so. */

import { EXIT, exitOf } from '../errors/exit.ts';
import { isXcError } from '../errors/xc-error.ts';
import type { JournalError } from './journal.ts';

export type Outcome =
  'done' | 'partly' | 'diverged' | 'deadline' | 'locked' | 'unknown' | 'interrupted' | 'failed';

export interface Ending {
  readonly outcome: Outcome;
  readonly exit: number;
}

/** What the ending rests on, counted over all steps of the run. */
export interface Tally {
  readonly errors: readonly JournalError[];
  /** Streams whose steps are all done. */
  readonly finishedStreams: number;
  /** Findings of verification with verdict fail. */
  readonly diverged: number;
  /** Findings of verification with verdict unknown. */
  readonly undecided: number;
  /** Links that an error holds at the end, while the others of their stream went on. */
  readonly errored: readonly JournalError[];
  /** Links that were set aside while planning. */
  readonly held: number;
  /** Reason of the signal that ended the run before its end; undefined when it was not ended. */
  readonly interruption?: unknown;
  /** The run was ended in good order by --max-duration before everything was copied. */
  readonly cutShort: boolean;
  /** The lag at the end was above --max-lag. */
  readonly lagging: boolean;
}

export const endingOf = (tally: Tally): Ending => {
  if (tally.interruption !== undefined) return interrupted(tally.interruption);
  const [error] = tally.errors;
  if (error) return failed(error, tally.finishedStreams > 0);
  if (tally.errored.length > 0) return partlyFor(tally.errored);
  if (tally.diverged > 0 || tally.lagging) return { outcome: 'diverged', exit: EXIT.findings };
  if (tally.cutShort || tally.held > 0) return { outcome: 'partly', exit: EXIT.partly };
  if (tally.undecided > 0) return { outcome: 'unknown', exit: EXIT.unknown };
  return { outcome: 'done', exit: EXIT.done };
};

/** By the links' error, where one exit code says it for all of them. */
const partlyFor = (errors: readonly JournalError[]): Ending => {
  const [exit, ...others] = new Set(errors.map((error) => exitOf(error.code)));
  return { outcome: 'partly', exit: exit === undefined || others.length > 0 ? EXIT.partly : exit };
};

const interrupted = (reason: unknown): Ending => {
  if (isXcError(reason, 'XC-7001')) return { outcome: 'deadline', exit: EXIT.deadline };
  // The signal's name is only in the reason's text; the frame decides the process's own exit code by the signal itself.
  const terminated = reason instanceof Error && reason.message.includes('SIGTERM');
  return { outcome: 'interrupted', exit: terminated ? EXIT.terminated : EXIT.interrupted };
};

const failed = (error: JournalError, others: boolean): Ending => {
  const exit = exitOf(error.code);
  if (others) return { outcome: 'partly', exit: EXIT.partly };
  if (exit === EXIT.locked) return { outcome: 'locked', exit };
  if (exit === EXIT.deadline) return { outcome: 'deadline', exit };
  if (exit === EXIT.unknown) return { outcome: 'unknown', exit };
  return { outcome: 'failed', exit };
};
