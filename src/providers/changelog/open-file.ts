/** Opens one file of a log: its header first, and then its pieces one after another. */

import { open, type FileHandle } from 'node:fs/promises';
import { CHAIN_START, verifiedDigest } from '../../core/changelog/chain.ts';
import { kindOf, parseHeader } from '../../core/changelog/parse.ts';
import type { HeaderRecord } from '../../core/changelog/records.ts';
import { isErrno } from '../../core/errors/errno.ts';
import { fileError } from '../../core/errors/file-error.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { UnitReader } from './unit-reader.ts';

export interface OpenFile extends AsyncDisposable {
  readonly path: string;
  readonly number: number;
  readonly header: HeaderRecord;
  /** What tells the log from every other. */
  readonly genesis: string;
  /** Behind the header. */
  readonly units: UnitReader;
  readonly handle: FileHandle;
}

/** Longest header that is believed. */
const HEADER_BYTES = 1024 * 1024;

/**
 * Null where there is no such file, or its first line is not whole yet.
 * @throws XcError XC-5031, XC-5036, XC-6002
 */
export const openFile = async (path: string, number: number, flags = 'r'): Promise<OpenFile | null> => {
  const handle = await open(path, flags).catch((error: unknown) => {
    if (isErrno(error) && error.code === 'ENOENT') return null;
    throw fileError(path, error);
  });
  if (handle === null) return null;
  try {
    const found = await readHeader(handle, path, number);
    if (found) return { ...found, path, number, handle, [Symbol.asyncDispose]: () => handle.close() };
    await handle.close();
    return null;
  } catch (error) {
    await handle.close();
    throw fileError(path, error);
  }
};

const readHeader = async (
  handle: FileHandle,
  path: string,
  number: number,
): Promise<Pick<OpenFile, 'header' | 'genesis' | 'units'> | null> => {
  const text = await firstLine(handle, path);
  if (text === null) return null;
  const where = `${path}:1`;
  if (kindOf(text) !== 'header')
    throw new XcError('XC-5036', { subject: where, why: 'a log begins with a header' });
  const header = parseHeader(text, where);
  const digest = verifiedDigest(header.previous ?? CHAIN_START, text);
  if (digest === null)
    throw new XcError('XC-5031', {
      subject: where,
      why: 'its digest does not fit it',
      facts: { file: path, line: 1 },
    });
  const offset = Buffer.byteLength(text) + 1;
  return {
    header,
    genesis: header.genesis ?? digest,
    units: new UnitReader(handle, path, { file: number, offset, line: 2, digest }),
  };
};

const firstLine = async (handle: FileHandle, path: string): Promise<string | null> => {
  let bytes = Buffer.alloc(0);
  while (bytes.length < HEADER_BYTES) {
    const chunk = Buffer.allocUnsafe(16 * 1024);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, bytes.length);
    if (bytesRead === 0) return null;
    bytes = Buffer.concat([bytes, chunk.subarray(0, bytesRead)]);
    const end = bytes.indexOf(0x0a);
    if (end >= 0) return bytes.toString('utf8', 0, end);
  }
  throw new XcError('XC-5036', { subject: `${path}:1`, why: 'a log begins with a header' });
};
