/**
 * Two servers for the tests of a worker: started when the first test asks, kept for the worker's other test files, and
 * used by no other worker at the same time, so that a test may look at cluster-wide things such as slots and origins.
 */

import { join } from 'node:path';
import { isXcError } from '../../src/core/errors/xc-error.ts';
import { takeLock } from '../../src/providers/lab/file-lock.ts';
import { labDown, labUp, type LabSpec } from '../../src/providers/lab/lab.ts';
import { dsnOfRegion } from '../../src/providers/lab/lab-region.ts';
import type { Lab, LabRegion } from '../../src/providers/lab/lab-state.ts';
import { runDirectory } from './run-directory.ts';

export const SOURCE_REGION = 'us-east-1';
export const TARGET_REGION = 'eu-central-1';

/** More workers than this at once is no test run of ours. */
const MAX_WORKERS = 64;

export interface PairServer {
  readonly region: LabRegion;
  readonly lab: Lab;
  /** Names the server's first database; superuser, over TCP. */
  readonly dsn: string;
}

export interface ServerPair {
  readonly source: PairServer;
  readonly target: PairServer;
  readonly major: number;
}

const shared = new Map<number, Promise<ServerPair>>();
let privatePairs = 0;

/** The worker's pair of that version. */
export const sharedServers = (major: number): Promise<ServerPair> => {
  const there = shared.get(major);
  if (there) return there;
  const started = startShared(major);
  shared.set(major, started);
  return started;
};

const startShared = async (major: number): Promise<ServerPair> => {
  const slot = await workerSlot();
  return startServers(join(await runDirectory(), `worker-${slot}-pg${major}`), major, { durable: false });
};

/** Servers of a test alone, for one that kills them. They flush to disk, as a customer's do. */
export const privateServers = async (major: number): Promise<ServerPair & AsyncDisposable> => {
  const directory = join(await runDirectory(), `private-${process.pid}-${privatePairs++}`);
  const pair = await startServers(directory, major, { durable: true });
  return {
    ...pair,
    async [Symbol.asyncDispose]() {
      await labDown(directory);
    },
  };
};

/** Servers in a directory of the run: its end takes them down. */
export const startServers = async (
  directory: string,
  major: number,
  { durable }: Pick<LabSpec, 'durable'>,
): Promise<ServerPair> => {
  const regions = [SOURCE_REGION, TARGET_REGION];
  const spec: LabSpec = { directory, regions, pgMajor: major, via: 'tcp', durable };
  const { lab } = await labUp(spec, new AbortController().signal);
  const [source, target] = await Promise.all(
    lab.regions.map(async (region) => ({ region, lab, dsn: await dsnOfRegion(region) })),
  );
  if (!source || !target) throw new Error('the lab has fewer than two regions');
  return { source, target, major };
};

/** Vitest numbers its workers, but a lock is what proves that nobody else uses the servers of that number. */
const workerSlot = async (): Promise<number> => {
  const directory = await runDirectory();
  const first = Number(process.env['VITEST_POOL_ID'] ?? 1);
  for (let slot = first; slot < first + MAX_WORKERS; slot++) {
    try {
      await takeLock(join(directory, `worker-${slot}.lock`));
      return slot;
    } catch (error) {
      if (!isXcError(error, 'XC-7002')) throw error;
    }
  }
  throw new Error(`more than ${MAX_WORKERS} workers use ${directory}`);
};
