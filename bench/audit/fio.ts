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

/** Writes a second, each synced. */
export const fdatasyncRate = async (directory: string, seconds: number): Promise<number> => {
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
  const { jobs } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: { write: { iops: number } }[] };
  return jobs[0]!.write.iops;
};
