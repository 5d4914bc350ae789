/**
 * Reading small text files: configuration and secrets. Read at once rather than by promises, whose module costs every
 * command more than reading two files does.
 */

import { readFileSync } from 'node:fs';
import { isErrno } from '../../core/errors/errno.ts';

/** @returns the text, or null when there is no such file; other failures are thrown as they are */
export const readTextIfPresent = (path: string): Promise<string | null> => {
  try {
    return Promise.resolve(readTextNow(path));
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : new Error(String(error)));
  }
};

/** The same without a promise, for what start-up reads. */
export const readTextNow = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return null;
    throw error;
  }
};
