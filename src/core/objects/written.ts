/** How a body becomes an object: in one request where it is small, and its digest known beforehand; in parts otherwise. */

import { gathered, type PieceSize } from './gathered.ts';
import type { HexDigest } from './hex-digest.ts';
import { measured } from './measured-body.ts';
import type { ObjectInfo, PartialUploads, UploadedPart, WriteOptions } from './object-store.ts';

const MIB = 1024 * 1024;
/** Up to here one request writes an object. */
const ONE_REQUEST_BYTES = 8 * MIB;
/** Memory of a large write: these, the one that is being gathered, and the one that waits. */
const PARTS_AT_ONCE = 4;

/** Bodies of unknown length: after this many parts the next ones are twice as large, so that 10,000 parts are enough. */
const DOUBLED_AFTER_PARTS = 1000;
/** 10,000 parts are then at most 8.8 TiB; no store takes a larger object. */
const LARGEST_PIECE_BYTES = 1024 * MIB;
/** All but one of S3's 10,000 parts. */
const PARTS = 9_999;

export interface Writer {
  readonly place: string;
  /** In one request. */
  readonly small: (body: Uint8Array, sha256: HexDigest) => Promise<ObjectInfo>;
  /** `sha256` is known when the pieces have come to their end. */
  readonly large: (pieces: AsyncIterable<Uint8Array>, sha256: () => HexDigest) => Promise<ObjectInfo>;
}

const pieceSize =
  (bytes: number | undefined): PieceSize =>
  (number) =>
    bytes === undefined
      ? Math.min(ONE_REQUEST_BYTES * 2 ** Math.floor((number - 1) / DOUBLED_AFTER_PARTS), LARGEST_PIECE_BYTES)
      : Math.max(ONE_REQUEST_BYTES, Math.ceil(bytes / PARTS / MIB) * MIB);

export const written = async (
  { place, small, large }: Writer,
  key: string,
  body: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<ObjectInfo> => {
  const passing = measured(place, key, body, options);
  const pieces = gathered(passing, pieceSize(options.bytes));
  const first = (await pieces.next()).value ?? new Uint8Array();
  // A second piece, or the end, with what the measure says there.
  const second = await pieces.next();
  if (second.done === true) return await small(first, passing.sha256());
  const all = (async function* () {
    yield first;
    yield second.value;
    yield* pieces;
  })();
  return await large(all, () => passing.sha256());
};

/** `large` of a store whose uploads in parts are what a write is made of. Nothing is left of one that fails. */
export const writtenInParts = async (
  uploads: PartialUploads,
  key: string,
  pieces: AsyncIterable<Uint8Array>,
  options: WriteOptions,
  sha256: () => HexDigest,
): Promise<ObjectInfo> => {
  const { when: _, ...described } = options;
  const upload = await uploads.begin(key, described);
  try {
    const parts = await sent(uploads, key, upload, pieces);
    return await uploads.finish(key, upload, parts, { ...options, sha256: sha256() });
  } catch (error) {
    // What failed is the caller's; a store that does not answer to this either keeps the parts until it clears up.
    await uploads.abandon(key, upload).catch(() => undefined);
    throw error;
  }
};

/** The next piece is taken when one of those under way has arrived. None is on its way any more when this fails. */
const sent = async (
  uploads: PartialUploads,
  key: string,
  upload: string,
  pieces: AsyncIterable<Uint8Array>,
): Promise<readonly UploadedPart[]> => {
  const parts: UploadedPart[] = [];
  const underWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let number = 0;
  const put = async (at: number, piece: Uint8Array): Promise<void> => {
    try {
      parts.push(await uploads.put(key, upload, at, piece));
    } catch (error) {
      failures.push(error);
    }
  };
  try {
    for await (const piece of pieces) {
      const part = put((number += 1), piece);
      underWay.add(part);
      void part.then(() => underWay.delete(part));
      if (underWay.size >= PARTS_AT_ONCE) await Promise.race(underWay);
      if (failures.length > 0) break;
    }
  } finally {
    await Promise.all(underWay);
  }
  if (failures.length > 0) throw failures[0];
  return parts.toSorted((a, b) => a.number - b.number);
};
