/** fio's durable writes of the size of an entry: what the disk gives whoever syncs after every write. */

import { execa } from 'execa';
import { join } from 'node:path';

/** An entry's line. */
const ENTRY_BYTES = 384;

export const hasFio = async (): Promise<boolean> => {
  try {
    await execa('fio', ['--version']);
    return true;
  } catch {
    return false;
  }
};

export interface DiskRate {
  /** Writes a second, each synced. */
  readonly perSecond: number;
  /** Of the sync alone. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface FioJob {
  readonly write: { readonly iops: number };
  readonly sync: { readonly lat_ns: { readonly percentile: Readonly<Record<string, number>> } };
}

export const fdatasyncRate = async (directory: string, seconds: number): Promise<DiskRate> => {
  const { stdout } = await execa('fio', [
    '--name=append',
    `--filename=${join(directory, 'fio')}`,
    '--rw=write',
    '--ioengine=sync',
    `--bs=${ENTRY_BYTES}`,
    '--fdatasync=1',
    '--size=64m',
    '--time_based',
    `--runtime=${Math.round(seconds * 1000)}ms`,
    '--output-format=json',
  ]);
  const { jobs } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: FioJob[] };
  const { write, sync } = jobs[0]!;
  const ms = (percentile: string): number => (sync.lat_ns.percentile[percentile] ?? 0) / 1e6;
  return { perSecond: write.iops, p50Ms: ms('50.000000'), p99Ms: ms('99.000000') };
};
