/** A file that cannot be read or written, in words that an operator can act on. */

import { isErrno } from './errno.ts';
import { XcError } from './xc-error.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  EIO: 'the device failed',
  ENOTDIR: 'a part of the path is no directory',
};

/** XC-6002 with the path and the cause; a typed error stays what it is. */
export const fileError = (path: string, error: unknown): XcError => {
  if (error instanceof XcError) return error;
  const code = isErrno(error) ? error.code : '';
  const why = REASONS[code] ?? (error instanceof Error ? error.message : String(error));
  return new XcError('XC-6002', {
    subject: path,
    why: code === '' ? why : `${why} (${code})`,
    cause: error,
  });
};
