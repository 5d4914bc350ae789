/**
 * The files of one log: the first has the log's own path, later ones the same with a number, FILE.000002. None is ever
 * renamed once it can be read; old ones may be taken away, the oldest first.
 */

import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import { fileError } from '../../core/errors/file-error.ts';

const DIGITS = 6;

export const filePath = (path: string, number: number): string =>
  number === 1 ? path : `${path}.${String(number).padStart(DIGITS, '0')}`;

/** A log whose copy is not whole yet; nobody reads it. */
export const partialPath = (path: string): string => `${path}.partial`;

/** Numbers of the files that are there, ascending. @throws XcError XC-6002 */
export const fileNumbers = async (path: string): Promise<number[]> => {
  const name = basename(path);
  const numbers: number[] = [];
  for (const entry of await entriesOf(dirname(path))) {
    if (entry === name) numbers.push(1);
    const suffix = entry.startsWith(`${name}.`) ? entry.slice(name.length + 1) : '';
    if (new RegExp(`^\\d{${DIGITS},}$`).test(suffix) && Number(suffix) > 1) numbers.push(Number(suffix));
  }
  return numbers.toSorted((a, b) => a - b);
};

const entriesOf = async (directory: string): Promise<string[]> => {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isErrno(error) && error.code === 'ENOENT') return [];
    throw fileError(directory, error);
  }
};

export const fileName = (path: string, number: number): string => basename(filePath(path, number));

export const siblingPath = (path: string, name: string): string => join(dirname(path), name);
