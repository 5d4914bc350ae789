/** Whether a directory could be written to, judged by its rights and its volume: nothing is written to find out. */

import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ObservedDirectory } from '../../core/validation/observed-service.ts';

export const observeDirectory = async (path: string): Promise<ObservedDirectory> => {
  const existing = await nearest(resolve(path));
  const isDirectory = (await stat(existing)).isDirectory();
  const writable = await access(existing, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
  const volume = await statfs(existing).catch(() => null);
  return {
    path: resolve(path),
    existing,
    isDirectory,
    writable,
    freeBytes: volume === null ? null : volume.bavail * volume.bsize,
  };
};

/** The path itself, or the nearest one above it that exists; the root always does. */
const nearest = async (path: string): Promise<string> =>
  (await stat(path).catch(() => null)) || dirname(path) === path ? path : nearest(dirname(path));
