/**
 * Composition root: the one place that touches the process. It wires streams, signals and providers to the command
 * that was typed, and sets the exit code; nothing ever calls process.exit, so that no output is cut off.
 */

import { EXIT } from './core/errors/exit.ts';
import { conclude } from './commands/frame/conclude.ts';
import { describeFailure, toXcError } from './commands/frame/failure.ts';
import { createRedactor } from './commands/frame/redactor.ts';
import { runCommandLine, type Ran } from './commands/frame/run.ts';
import { createStopper } from './commands/frame/stopper.ts';
import { openOutput, type Output } from './commands/frame/streams.ts';
import { systemClock } from './providers/system/clock.ts';
import { watchInterrupts } from './providers/system/interrupts.ts';
import { systemRandom } from './providers/system/random.ts';
import { isTerminal } from './providers/system/terminal.ts';
import { build } from './version.ts';

/** Width of help that goes to a file or a pipe. */
const PIPE_COLUMNS = 100;

const main = async (): Promise<number> => {
  const lifeline = process.env['XCREPL_LIFELINE_FD'];
  if (lifeline) {
    delete process.env['XCREPL_LIFELINE_FD'];
    const { holdLifeline } = await import('./providers/system/lifeline.ts');
    await holdLifeline(Number(lifeline));
  }

  const redactor = createRedactor();
  const stopper = createStopper();
  const stop = (why: string): void => stopper.stop(new DOMException(why, 'AbortError'));
  const output = openOutput(process, redactor, () => stop('the reader of standard output went away'));
  const leftovers = new Set<string>();
  const interrupts = watchInterrupts(
    {
      first: (name) => stop(`interrupted by ${name}`),
      second: (name) => output.err(leftBehind(name, leftovers)),
    },
    () => systemClock.nowMs(),
  );
  let crash: unknown = new Error('the command ended without a result');
  let crashed = false;
  process.on('uncaughtException', (error) => {
    if (!crashed) crash = error;
    crashed = true;
    stopper.stop(error);
  });

  // Nothing is left that could go on, and there is no result.
  const lost = (): void =>
    output.err(describeFailure(toXcError(crash), { output: 'table', verbose: false }).text);
  process.once('exit', lost);

  const ran = await runCommandLine(process.argv.slice(2), {
    clock: systemClock,
    random: systemRandom,
    env: process.env,
    cwd: process.cwd(),
    ...build(),
    terminal: {
      get stdout() {
        return isTerminal(1);
      },
      get stderr() {
        return isTerminal(2);
      },
      get canAsk() {
        return isTerminal(0) && isTerminal(2);
      },
    },
    columns: () => (isTerminal(1) ? process.stdout.columns : PIPE_COLUMNS),
    stopper,
    redactor,
    leftovers,
    writeOut: output.out,
    writeErr: output.err,
  });
  const delivered = await deliver(crashed ? { ...ran, error: crash } : ran, output);
  interrupts.stop();
  process.off('exit', lost);
  const { exit, text } = conclude(delivered, {
    interrupted: interrupts.received,
    closed: output.closed,
    reason: stopper.reason,
  });
  if (text !== '') output.err(text);
  return exit;
};

/** A result that could not be written is an error, whatever the command found. */
const deliver = async (ran: Ran, output: Output): Promise<Ran> => {
  try {
    await output.flush();
    return ran;
  } catch (error) {
    return { ...ran, error: ran.error ?? error };
  }
};

const leftBehind = (name: string, leftovers: ReadonlySet<string>): string => {
  const left =
    leftovers.size === 0 ? 'nothing that the next run does not take up' : [...leftovers].join('; ');
  return `${name} again: stopping at once. Left behind: ${left}\n`;
};

// Not awaited at the top: chunks that the command loads import this one, and would wait for it for ever. Until there is
// a result the exit code is that of a bug, so that a run that simply stops is never taken for a success.
process.exitCode = EXIT.bug;
const run = async (): Promise<void> => {
  process.exitCode = await main();
};
void run();
