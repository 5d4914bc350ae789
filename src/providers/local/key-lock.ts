/**
 * One writer at a time for a key whose version is compared before it is replaced: a file system has no such power of
 * its own. The lock is a file with its holder's name; one whose process is gone is taken over.
 */

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';

/** It is held for a rename, so who waits longer waits for something that is stuck. */
const LONGEST_WAIT_MS = 10_000;
const PAUSE_MS = 5;

const holderIsGone = async (path: string): Promise<boolean> => {
  const text = await readFile(path, 'utf8').catch(() => null);
  const [host, pid] = text?.split(' ') ?? [];
  if (host !== hostname() || pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return isErrno(error, 'ESRCH');
  }
};

const take = async (path: string): Promise<boolean> => {
  try {
    const handle = await open(path, 'wx', 0o600);
    await handle.writeFile(`${hostname()} ${process.pid}`);
    await handle.close();
    return true;
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
    return false;
  }
};

/** Does it while no other version-bound write to the same lock file is under way, in this process or another one. */
export const whileLocked = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  await mkdir(dirname(path), { recursive: true });
  for (let waitedMs = 0; !(await take(path)); waitedMs += PAUSE_MS) {
    if (await holderIsGone(path)) {
      // Renamed first, so that of two who see the same dead holder only one removes its lock.
      const aside = `${path}.${process.pid}.${waitedMs}`;
      await rename(path, aside).then(
        () => rm(aside, { force: true }),
        () => undefined,
      );
    } else if (waitedMs >= LONGEST_WAIT_MS) {
      throw new XcError('XC-6101', { subject: path, why: 'another process holds the lock of this key' });
    }
    await sleep(PAUSE_MS);
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
};
