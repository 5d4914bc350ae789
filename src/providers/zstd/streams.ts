/** Zstandard (RFC 8878) over bytes that pass: bounded by the codec's own window. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createZstdCompress, createZstdDecompress } from 'node:zlib';
import { XcError } from '../../core/errors/xc-error.ts';

type Bytes = AsyncIterable<Uint8Array>;

export const compressed = (body: Bytes): AsyncGenerator<Uint8Array> => through(body, createZstdCompress());

/** @throws XcError XC-5403 for what is no zstd, or ends too early */
export async function* decompressed(body: Bytes): AsyncGenerator<Uint8Array> {
  try {
    yield* through(body, createZstdDecompress());
  } catch (error) {
    if (!isCodecError(error)) throw error;
    throw new XcError('XC-5403', { why: error.message, cause: error });
  }
}

const isCodecError = (error: unknown): error is Error =>
  error instanceof Error &&
  'code' in error &&
  typeof error.code === 'string' &&
  /^(ZSTD_|Z_|ERR_ZLIB)/.test(error.code);

async function* through(
  body: Bytes,
  codec: ReturnType<typeof createZstdCompress>,
): AsyncGenerator<Uint8Array> {
  // What ends the body ends the codec, and so what reads it; told here once.
  const feeding = pipeline(Readable.from(body, { objectMode: false }), codec);
  feeding.catch(() => {});
  try {
    for await (const piece of codec) yield piece as Uint8Array;
    await feeding;
  } finally {
    codec.destroy();
  }
}
