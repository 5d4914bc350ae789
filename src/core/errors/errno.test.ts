import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { isErrno } from './errno.ts';
import { XcError } from './xc-error.ts';

test('an error of the operating system is one, our own with a code is none', async () => {
  const error: unknown = await readFile('/nowhere/at/all').catch((reason: unknown) => reason);
  expect(isErrno(error)).toBe(true);
  expect(isErrno(error, 'ENOENT')).toBe(true);
  expect(isErrno(error, 'EEXIST')).toBe(false);
  expect(isErrno(new XcError('XC-6002'))).toBe(false);
});
