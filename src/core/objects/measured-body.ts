/** A body that is measured while it passes: every store computes length and sha256 of what it sends. */

import { createHash } from 'node:crypto';
import type { HexDigest } from './hex-digest.ts';
import type { WriteOptions } from './object-store.ts';
import { contentDiffers } from './store-errors.ts';

export interface MeasuredBody extends AsyncIterable<Uint8Array> {
  /** Of what has passed so far. */
  readonly bytes: number;
  /** Of the whole body; once, after its end. */
  sha256(): HexDigest;
}

/**
 * Passes the pieces on. At the end, and before the store makes anything visible, a body of another length or digest than
 * announced is XC-5403; one that grows past the announced length is stopped at once.
 */
export const measured = (
  place: string,
  key: string,
  body: AsyncIterable<Uint8Array>,
  announced: Pick<WriteOptions, 'sha256' | 'bytes'> = {},
): MeasuredBody => {
  const hash = createHash('sha256');
  let bytes = 0;
  let digest: HexDigest | null = null;
  const sha256 = (): HexDigest => (digest ??= hash.digest('hex') as HexDigest);
  const differs = (what: string): never => {
    throw contentDiffers(place, key, what);
  };
  return {
    get bytes() {
      return bytes;
    },
    sha256,
    async *[Symbol.asyncIterator]() {
      for await (const piece of body) {
        bytes += piece.byteLength;
        if (announced.bytes !== undefined && bytes > announced.bytes)
          differs(`more than the ${announced.bytes} bytes that were announced`);
        hash.update(piece);
        yield piece;
      }
      if (announced.bytes !== undefined && bytes !== announced.bytes)
        differs(`${bytes} bytes instead of ${announced.bytes}`);
      if (announced.sha256 !== undefined && sha256() !== announced.sha256)
        differs(`sha256 ${sha256()} instead of ${announced.sha256}`);
    },
  };
};
