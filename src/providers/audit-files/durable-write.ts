/** Writes that are whole or fail, and syncs of what a name or a file's content needs. */

import { fdatasync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';

export const dataSync = promisify(fdatasync);

/** A write may take fewer bytes than it was given (a disk that is nearly full): the rest is written again, or throws. */
export const writeWhole = (handle: number, bytes: Uint8Array, position: number): void => {
  for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at, bytes.length - at, position + at);
};

/** Makes the names in a directory durable. */
export const syncDirectory = async (path: string): Promise<void> => {
  await using directory = await open(path, 'r');
  await directory.sync();
};
