/** A runner that follows and is started again when it ended with an error that a retry may help. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Pair } from '../harness/pair.ts';
import { startRunner, told, type Runner, type RunnerEnd } from './runner.ts';

export interface Follower extends AsyncDisposable {
  /** The process that runs now. @throws Error when the last one ended in a way that it must not */
  runner(): Promise<Runner>;
  /** Waits until a row that is written at the source now is at the target. */
  catchUp(): Promise<void>;
  /** SIGTERM. @returns exit codes with which it ended by itself, in between */
  stop(): Promise<readonly number[]>;
}

const POLL_MS = 100;
/** Retries of the runner grow to pauses of 15 s. */
const CATCH_UP_LIMIT_MS = 120_000;
/** Started again more often than this, it does not get anywhere. */
const MAX_RESTARTS = 20;
const UNAVAILABLE = 5;
const TERMINATED = 143;

export const startFollower = (pair: Pair): Follower => {
  let current = startRunner(pair, '--follow');
  const exits: number[] = [];
  const runner = async (): Promise<Runner> => {
    if (!current.isOver()) return current;
    const end = await current.ended;
    if (end.exitCode !== UNAVAILABLE || exits.length >= MAX_RESTARTS) refuse(end);
    exits.push(UNAVAILABLE);
    return (current = startRunner(pair, '--follow'));
  };
  return {
    runner,
    async catchUp() {
      const label = `mark ${Math.random()}`;
      await pair.source.query('INSERT INTO ledger.notes (n, label) VALUES (0, $1)', [label]);
      const limit = performance.now() + CATCH_UP_LIMIT_MS;
      for (;;) {
        const running = await runner();
        const there = await pair.target
          .query('SELECT FROM ledger.notes WHERE label = $1', [label])
          .catch(() => []);
        if (there.length > 0 && !running.isOver()) return;
        if (performance.now() > limit) {
          const end = await (await runner()).kill();
          throw new Error(`the target does not catch up: ${told(end)}`);
        }
        await sleep(POLL_MS);
      }
    },
    async stop() {
      const end = await (await runner()).stop();
      if (end.exitCode !== TERMINATED) refuse(end);
      return exits;
    },
    async [Symbol.asyncDispose]() {
      if (!current.isOver()) await current.kill();
    },
  };
};

const refuse = (end: RunnerEnd): never => {
  throw new Error(`the follower ended: ${told(end)}`);
};
