/** Errors of the operating system, told apart by their code ("ENOENT", "ECONNREFUSED"). */

export interface ErrnoError extends Error {
  readonly code: string;
}

/** Any of them, or one of these alone. */
export const isErrno = (error: unknown, ...only: readonly string[]): error is ErrnoError =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  (only.length === 0 || only.includes(error.code));
