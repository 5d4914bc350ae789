/**
 * Files that a crash cannot leave half-written: a temporary file beside the target, fsync, rename, fsync of the
 * directory. Whatever cannot be written is XC-6002, with the path and the cause.
 */

import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';
import { isErrno } from '../../core/errors/errno.ts';

/** @throws XcError XC-6002 */
export const writeDurably = async (path: string, text: string, mode = 0o644): Promise<void> => {
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

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  EIO: 'the device failed',
  ENOTDIR: 'a part of the path is no directory',
};

/** Runs file work; its failures become XC-6002 with the path. */
export const guarded = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (error instanceof XcError) throw error;
    const code = isErrno(error) ? (error.code ?? '') : '';
    const why = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
    throw new XcError('XC-6002', {
      subject: path,
      why: code === '' ? why : `${why} (${code})`,
      cause: error,
    });
  }
};
