/** Errors of the operating system, told apart by their code ("ENOENT", "ECONNREFUSED"). */

export interface ErrnoError extends Error {
  readonly code: string;
}

export const isErrno = (error: unknown): error is ErrnoError =>
  error instanceof Error && 'code' in error && typeof error.code === 'string';
