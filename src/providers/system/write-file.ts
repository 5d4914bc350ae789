/** Writing small files so that a crash leaves the old one or the new one, never half of either. */

import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** @throws with code EEXIST when the file is there */
export const createFile = (path: string, text: string): Promise<void> => writeAndSync(path, text, 'wx');

/** Temporary file beside it, fsync, rename, fsync of the directory. */
export const replaceFile = async (path: string, text: string): Promise<void> => {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    await writeAndSync(temporary, text, 'w');
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
};

const writeAndSync = async (path: string, text: string, flags: string): Promise<void> => {
  await using file = await open(path, flags);
  await file.writeFile(text);
  await file.sync();
};

const syncDirectory = async (path: string): Promise<void> => {
  await using directory = await open(path, 'r');
  await directory.sync();
};
