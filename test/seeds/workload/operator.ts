/** Whoever keeps the runner going: starts it again whenever it ended with something that a retry may help. */

import type { Pair } from '../../harness/pair.ts';
import { finishInTime, startRunner, told, type Runner, type RunnerEnd } from '../runner.ts';

/** Unavailable, or told to stop, or that before it could listen. */
const mayEnd = ({ exitCode, signal }: RunnerEnd): boolean =>
  exitCode === 5 || exitCode === 143 || signal === 'SIGTERM';

export class Operator {
  readonly #pair: Pair;
  #runner: Runner;
  #restarts = 0;

  constructor(pair: Pair) {
    this.#pair = pair;
    this.#runner = startRunner(pair, '--follow');
  }

  async kill(): Promise<void> {
    const end = await this.#runner.kill();
    if (end.signal !== 'SIGKILL' && !mayEnd(end)) throw new Error(`the run ended: ${told(end)}`);
    this.#runner = startRunner(this.#pair, '--follow');
  }

  async stop(): Promise<void> {
    await this.#stop();
    this.#runner = startRunner(this.#pair, '--follow');
  }

  /** Looks whether it still runs. @throws Error when it ended otherwise than it may */
  async look(): Promise<void> {
    if (!this.#runner.isOver()) return;
    const end = await this.#runner.ended;
    if (!mayEnd(end)) throw new Error(`the run ended: ${told(end)}`);
    this.#restarts++;
    this.#runner = startRunner(this.#pair, '--follow');
  }

  /** Ends the follower, and runs once more to where the source is then. */
  async finish(): Promise<string> {
    await this.#stop();
    const retries = await finishInTime(() => startRunner(this.#pair, '--once'), 'the run after the traffic');
    const again = this.#restarts + retries;
    return again > 0 ? `, started again ${again} times` : '';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#runner.isOver()) await this.#runner.kill();
  }

  async #stop(): Promise<void> {
    const end = await this.#runner.stop();
    if (!mayEnd(end)) throw new Error(`told to stop: ${told(end)}`);
  }
}
