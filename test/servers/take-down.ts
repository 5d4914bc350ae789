/** Stops every lab below a run's directory and removes the directory. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isXcError } from '../../src/core/errors/xc-error.ts';
import { labDown } from '../../src/providers/lab/lab.ts';

/** A worker that is still starting servers holds the lab's lock for seconds at most, or dies. */
const MAX_TRIES = 120;
const PAUSE_MS = 500;

export const takeDown = async (runDirectory: string): Promise<void> => {
  const entries = await readdir(runDirectory, { withFileTypes: true }).catch(() => []);
  const labs = entries.filter((entry) => entry.isDirectory()).map((entry) => join(runDirectory, entry.name));
  await Promise.all(labs.map(downWhenFree));
  await rm(runDirectory, { recursive: true, force: true });
};

const downWhenFree = async (directory: string): Promise<void> => {
  for (let tries = 1; ; tries++) {
    try {
      await labDown(directory);
      return;
    } catch (error) {
      if (!isXcError(error, 'XC-7002') || tries >= MAX_TRIES) throw error;
      await sleep(PAUSE_MS);
    }
  }
};
