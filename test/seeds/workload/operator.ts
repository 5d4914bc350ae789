/**
 * Whoever keeps the runner going: starts it again whenever it ended with something that a retry may help, and runs on the
 * target what it waits for.
 */

import type { Pair } from '../../harness/pair.ts';
import { finishInTime, startRunner, told, type Runner, type RunnerEnd } from '../runner.ts';
import { heldFor, joiningLacks, reportedLacking, runOnTarget, waitedFor } from './statements.ts';

/** Unavailable, or told to stop, or that before it could listen. */
const mayEnd = ({ exitCode, signal }: RunnerEnd): boolean =>
  exitCode === 5 || exitCode === 143 || signal === 'SIGTERM';

export class Operator {
  readonly #pair: Pair;
  #runner: Runner;
  #restarts = 0;
  #said = '';
  #mended = 0;

  constructor(pair: Pair) {
    this.#pair = pair;
    this.#runner = this.#follow();
  }

  async kill(): Promise<void> {
    const end = await this.#runner.kill();
    if (end.signal !== 'SIGKILL') await this.#allow(end);
    this.#runner = this.#follow();
  }

  async stop(): Promise<void> {
    await this.#stop();
    this.#runner = this.#follow();
  }

  /** Runs on the target what the run waits for. */
  async mendWaiting(): Promise<void> {
    const said = this.#said;
    this.#said = '';
    await this.#mend(waitedFor(said));
  }

  /** Looks whether it still runs, and what it waits for. @throws Error when it ended otherwise than it may */
  async look(): Promise<void> {
    await this.mendWaiting();
    if (!this.#runner.isOver()) return;
    await this.#allow(await this.#runner.ended);
    this.#restarts++;
    this.#runner = this.#follow();
  }

  /** Ends the follower, and runs once more to where the source is then. */
  async finish(): Promise<string> {
    await this.#stop();
    const start = (): Runner => startRunner(this.#pair, '--once');
    const retries = await finishInTime(start, 'the run after the traffic', async (end) => {
      const joining = joiningLacks(end);
      const lacking = [...reportedLacking(end), ...(await heldFor(this.#pair)), ...(joining ?? [])];
      return (await this.#mend(lacking)) || joining !== null ? 'mended' : 'wrong';
    });
    const again = this.#restarts + retries;
    return `${again > 0 ? `, started again ${again} times` : ''}${this.#mended > 0 ? `, ${this.#mended} statements on the target` : ''}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#runner.isOver()) await this.#runner.kill();
  }

  #follow(): Runner {
    return startRunner(this.#pair, '--follow', (text) => (this.#said += text));
  }

  async #stop(): Promise<void> {
    await this.#allow(await this.#runner.stop());
  }

  /** A target that lacks something ends a run that does not wait; the statement is run, and it goes on. */
  async #allow(end: RunnerEnd): Promise<void> {
    if (mayEnd(end) || (await this.#mend(reportedLacking(end)))) return;
    throw new Error(`the run ended: ${told(end)}`);
  }

  /** @returns whether there was anything to do */
  async #mend(statements: readonly string[]): Promise<boolean> {
    for (const statement of new Set(statements)) {
      await runOnTarget(this.#pair, statement);
      this.#mended++;
    }
    return statements.length > 0;
  }
}
