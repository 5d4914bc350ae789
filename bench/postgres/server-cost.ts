/**
 * What two servers and the runner have used of the machine. A server is counted whole, because what copies and compares
 * opens and closes sessions as it likes: its processes, and those that are over, which Linux adds to their parent's.
 */

import { readdir, readFile } from 'node:fs/promises';
import type { TestDatabase } from '../../test/harness/test-database.ts';
import { cpuSeconds, type Costs } from './process-cost.ts';

/** USER_HZ (see process-cost.ts). */
const TICKS_PER_SECOND = 100;
/** A session that was closed a moment ago is counted once it is gone. */
const SETTLE_MS = 200;

export interface Places {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  /** Of the runner. */
  readonly pid: number;
}

/** Does the work. @returns its result and CPU seconds of source, target and runner */
export const withCosts = async <T>(
  { source, target, pid }: Places,
  work: () => Promise<T>,
): Promise<{ result: T; cpu: Costs }> => {
  const parents = { source: await postmaster(source), target: await postmaster(target) };
  const now = async (): Promise<{ source: number; target: number; runner: number }> => ({
    source: await treeSeconds(parents.source),
    target: await treeSeconds(parents.target),
    runner: await cpuSeconds(pid),
  });
  const before = await now();
  const result = await work();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const after = await now();
  return {
    result,
    cpu: {
      source: after.source - before.source,
      target: after.target - before.target,
      runner: after.runner - before.runner,
    },
  };
};

const postmaster = async (database: TestDatabase): Promise<number> => {
  const [row] = await database.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return (await statOf(row!.pid))?.parent ?? 0;
};

const treeSeconds = async (root: number): Promise<number> => {
  let seconds = 0;
  for (const name of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await statOf(Number(name));
    if (Number(name) === root) seconds += (stat?.own ?? 0) + (stat?.children ?? 0);
    else if (stat?.parent === root) seconds += stat.own;
  }
  return seconds;
};

/** proc(5): parent is the fourth field, utime to cstime are the 14th to 17th. null where the process is gone. */
const statOf = async (
  pid: number,
): Promise<{ readonly parent: number; readonly own: number; readonly children: number } | null> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const seconds = (at: number): number => (Number(fields[at]) + Number(fields[at + 1])) / TICKS_PER_SECOND;
  return { parent: Number(fields[1]), own: seconds(11), children: seconds(13) };
};
