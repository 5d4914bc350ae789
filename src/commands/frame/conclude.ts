/** What an ended command line means: the exit code, and what is told on standard error. The only place that decides. */

import { XcError } from '../../core/errors/xc-error.ts';
import { EXIT } from '../../core/errors/exit.ts';
import type { InterruptName } from '../../providers/system/interrupts.ts';
import { describeFailure, toXcError } from './failure.ts';
import type { Ran } from './run.ts';

/** Exit code of a program whose reader went away, as the shell gives it for SIGPIPE. */
export const EXIT_PIPE_CLOSED = 141;

export interface Ending {
  readonly interrupted: InterruptName | undefined;
  /** Standard output's reader went away. */
  readonly closed: boolean;
  /** The abort signal's reason, when it was aborted. */
  readonly reason: unknown;
}

export interface Conclusion {
  readonly exit: number;
  readonly text: string;
}

export const conclude = (ran: Ran, ending: Ending): Conclusion => {
  const exitByInterrupt = ending.interrupted === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  if (ran.error === undefined)
    return ending.interrupted === undefined
      ? { exit: ran.exit, text: '' }
      : { exit: exitByInterrupt, text: interruption(ran, ending.interrupted) };

  const consequence = ending.reason !== undefined && isConsequence(ran.error, ending.reason);
  if (ending.interrupted !== undefined && consequence)
    return { exit: exitByInterrupt, text: interruption(ran, ending.interrupted) };
  if (ending.closed && consequence) return { exit: EXIT_PIPE_CLOSED, text: '' };

  const failure = describeFailure(toXcError(consequence ? ending.reason : ran.error), ran.flags);
  // An unknown outcome is worth more to a script than the interruption that led to it.
  const keep = ending.interrupted === undefined || failure.exit === EXIT.unknown;
  return { exit: keep ? failure.exit : exitByInterrupt, text: failure.text };
};

/** Whether an error only says that the work was told to stop: the reason itself, or a connection cut because of it. */
const isConsequence = (error: unknown, reason: unknown): boolean => {
  if (error === reason) return true;
  if (error instanceof XcError) return error.code === 'XC-7001' || error.code.startsWith('XC-6');
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
};

const interruption = ({ flags }: Ran, name: InterruptName): string =>
  flags.output === 'table'
    ? `interrupted by ${name}: what was finished is kept; the same command goes on from there\n`
    : `${JSON.stringify({ schemaVersion: 1, interrupted: name, exit: name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated })}\n`;
