/** What a file system refuses, in the words of an object store. */

import { isErrno } from '../../core/errors/errno.ts';
import { XcError, type XcCode } from '../../core/errors/xc-error.ts';

const CODES: Readonly<Record<string, readonly [code: XcCode, why: string]>> = {
  ENOENT: ['XC-5401', 'no such file'],
  ENOTDIR: ['XC-5404', 'a part of the key is an object itself'],
  EISDIR: ['XC-5404', 'the key is the beginning of others'],
  ENOTEMPTY: ['XC-5404', 'the key is the beginning of others'],
  EEXIST: ['XC-5404', 'a part of the key is an object itself'],
  ENAMETOOLONG: ['XC-5404', 'a part of the key is too long for a file name'],
  ENOSPC: ['XC-6103', 'no space left on the device'],
  EDQUOT: ['XC-6103', 'the quota is used up'],
  EACCES: ['XC-4101', 'not permitted'],
  EPERM: ['XC-4101', 'not permitted'],
  EROFS: ['XC-4101', 'the file system is read-only'],
};

/** Typed errors stay what they are; what no file system says is a bug and stays one. */
export const explainFileError = (error: unknown, place: string, key: string): unknown => {
  if (!isErrno(error)) return error;
  const [code, why] = CODES[error.code] ?? ['XC-6102', error.message];
  return new XcError(code, {
    subject: `${place} ${key}`.trim(),
    why: `${why} (${error.code})`,
    cause: error,
  });
};
