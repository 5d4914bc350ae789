/**
 * What processes have used of the machine, read from /proc (proc(5)): other than seconds on the clock, it does not depend
 * on what else runs. Zero where there is no /proc.
 */

import { readFile, writeFile } from 'node:fs/promises';

/** USER_HZ, which is 100 on every architecture of Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** Processes by what they are to the measurement. */
export type Processes = Readonly<Record<string, readonly number[]>>;
/** CPU seconds by the same names. */
export type Costs = Readonly<Record<string, number>>;

export const cpuSeconds = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => null);
  if (stat === null) return 0;
  // The name, in parentheses, may hold spaces; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};

export const costsOf = async (processes: Processes): Promise<Costs> => {
  const costs: Record<string, number> = {};
  for (const [name, pids] of Object.entries(processes)) {
    costs[name] = 0;
    for (const pid of pids) costs[name] += await cpuSeconds(pid);
  }
  return costs;
};

export const spent = (before: Costs, after: Costs): Costs =>
  Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, seconds - (before[name] ?? 0)]));

/** Highest resident memory since the start or the last `forgetPeak`, in bytes. */
export const peakMemory = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
};

export const forgetPeak = async (pid: number): Promise<void> => {
  await writeFile(`/proc/${pid}/clear_refs`, '5').catch(() => {});
};
