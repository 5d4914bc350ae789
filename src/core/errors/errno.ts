/** Errors of the operating system, told apart by their code ("ENOENT", "ECONNREFUSED"). */

import { isXcError } from './xc-error.ts';

export interface ErrnoError extends Error {
  readonly code: string;
}

/** Any of them, or one of these alone. Our own errors have codes, too, and are none. */
export const isErrno = (error: unknown, ...only: readonly string[]): error is ErrnoError =>
  error instanceof Error &&
  !isXcError(error) &&
  'code' in error &&
  typeof error.code === 'string' &&
  (only.length === 0 || only.includes(error.code));
