/** Something that keeps one target database like its source: the product's engine, or PostgreSQL's own subscription. */

import type { TestDatabase } from '../../test/harness/test-database.ts';
import type { Processes } from './process-cost.ts';

export interface Receiver {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  /** The processes that do the work: of the receiver, and its sender at the source. */
  processes(): Promise<Processes>;
  /** Streams, from where it stopped. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Ends, and leaves nothing behind. */
  drop(): Promise<void>;
}

/**
 * Freezes what receives, so that changes wait at the source; as much of them as the sockets' buffers take is with the
 * receiver at once when it goes on, for either kind.
 */
export const hold = async (receiver: Receiver): Promise<() => void> => {
  const { runner, backend } = await receiver.processes();
  const pids = runner ?? backend ?? [];
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  };
};

const POLL_MS = 2;
const LIMIT_MS = 600_000;

export const until = async (what: string, met: () => Promise<boolean>, pollMs = POLL_MS): Promise<void> => {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await met())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${LIMIT_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
};
