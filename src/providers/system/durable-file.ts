/**
 * Files that a crash cannot leave half-written: a temporary file beside the target, fsync, rename, fsync of the
 * directory. Whatever cannot be written is XC-6002, with the path and the cause.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileError } from '../../core/errors/file-error.ts';

/** @throws XcError XC-6002 */
export const writeDurably = async (path: string, text: string | Uint8Array, mode = 0o644): Promise<void> => {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  await guarded(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    try {
      await using file = await open(temporary, 'wx', mode);
      await file.writeFile(text);
      await file.sync();
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  });
};

/** Makes a name in a directory durable. */
export const syncDirectory = async (path: string): Promise<void> => {
  await using directory = await open(path, 'r');
  await directory.sync();
};

/** Runs file work; its failures become XC-6002 with the path. */
export const guarded = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw fileError(path, error);
  }
};
