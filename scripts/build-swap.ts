/**
 * Puts a new build in the place of the old one without a moment in which a program that starts, or one that runs and
 * loads a part of itself only now, finds neither: parts have the hash of their content in their names, so the new ones
 * are added first, the entry follows, and parts of older builds go when nobody can be using them any more.
 */

import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A test run or a demo that began with an older build has ended by then. */
const KEEP_OLD_PARTS_MS = 3_600_000;

export const moveInto = async (fresh: string, dist: string): Promise<void> => {
  const parts = await readdir(join(fresh, 'chunk'));
  await mkdir(join(dist, 'chunk'), { recursive: true });
  for (const part of parts) await rename(join(fresh, 'chunk', part), join(dist, 'chunk', part));
  for (const entry of await readdir(fresh, { withFileTypes: true }))
    if (entry.isFile()) await rename(join(fresh, entry.name), join(dist, entry.name));
  await removeOld(join(dist, 'chunk'), new Set(parts));
};

const removeOld = async (directory: string, current: ReadonlySet<string>): Promise<void> => {
  const oldestMs = Date.now() - KEEP_OLD_PARTS_MS;
  for (const part of await readdir(directory)) {
    const path = join(directory, part);
    if (!current.has(part) && (await stat(path)).mtimeMs < oldestMs) await rm(path, { force: true });
  }
};
