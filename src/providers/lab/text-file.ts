/** Small files of a lab: read if there, written whole or not at all. */

import { open, readFile, rename } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';

/**
 * The text, or null when the file is not there or not ours to read.
 * @param from bytes before it are left out
 */
export const readIfThere = async (path: string, from = 0): Promise<string | null> => {
  try {
    return (await readFile(path)).subarray(from).toString('utf8');
  } catch {
    return null;
  }
};

/** Temporary file, fsync, rename. The mode is set before the first byte is in it. */
export const writeWhole = async (path: string, text: string, mode: number): Promise<void> => {
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
};
