/** Files of many lines, written and read piece by piece: plans, and what a run proved. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Spool } from '../../core/mirror/session.ts';
import { guarded, syncDirectory } from '../../providers/system/durable-file.ts';

const BATCH_CHARACTERS = 256 * 1024;

/** Whole or not at all. @throws XcError XC-6002, and what the lines throw */
export const writeLines = async (path: string, lines: AsyncIterable<string>): Promise<void> => {
  const temporary = `${path}.${process.pid}.tmp`;
  await guarded(path, async () => await mkdir(dirname(path), { recursive: true }));
  try {
    await using file = await guarded(path, async () => await open(temporary, 'w', 0o644));
    let waiting = '';
    const flush = async (): Promise<void> => {
      const text = waiting;
      waiting = '';
      if (text !== '') await guarded(path, async () => await file.appendFile(text));
    };
    for await (const line of lines) {
      waiting += `${line}\n`;
      if (waiting.length >= BATCH_CHARACTERS) await flush();
    }
    await flush();
    await guarded(path, async () => await file.sync());
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await guarded(path, async () => {
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  });
};

/** Lines without their ends. @throws XcError XC-1013 */
export async function* readLines(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces(path, 'utf8')) {
    const lines = (rest + String(piece)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

async function* pieces(path: string, encoding?: 'utf8'): AsyncGenerator {
  try {
    yield* createReadStream(path, encoding);
  } catch (error) {
    if (!isErrno(error)) throw error;
    throw new XcError('XC-1013', { subject: path, why: error.message, cause: error });
  }
}

/** "sha256:…" of a file's bytes. @throws XcError XC-1013 */
export const fileDigest = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  for await (const piece of pieces(path)) hash.update(piece as Uint8Array);
  return `sha256:${hash.digest('hex')}`;
};

/** Lost with the run: what decides is in the stores. */
export const openSpool = async (path: string): Promise<Spool & AsyncDisposable> => {
  const file: FileHandle = await guarded(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    return await open(path, 'w', 0o600);
  });
  return {
    append: async (bytes) => await guarded(path, async () => await file.appendFile(bytes)),
    read: () => createReadStream(path) as AsyncIterable<Uint8Array>,
    [Symbol.asyncDispose]: async () => await file.close(),
  };
};
