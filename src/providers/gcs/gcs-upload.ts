/**
 * "Resumable uploads": a session, and the body in pieces, one after the other. What was cut off is asked for, and sent
 * from there. Nothing is visible before the last piece, with which the service is told the crc32c of the whole.
 */

import { CRC32C, type FileMetadata } from '@google-cloud/storage';
import { Buffer } from 'node:buffer';
import type { Dispatcher } from 'undici';
import { contentDiffers, objectGone } from '../../core/objects/store-errors.ts';
import type { GcsPlace } from './gcs-place.ts';
import { apiUrl, sendGcs } from './gcs-wire.ts';

const INCOMPLETE = 308;

export interface Described {
  /** As "Objects: insert" takes it: the name, contentType, metadata, storageClass. */
  readonly resource: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, string | undefined>>;
}

/** All pieces but the last are of whole 256 KiB, as the service wants them. */
export const uploadLong = async (
  place: GcsPlace,
  key: string,
  pieces: AsyncIterable<Uint8Array>,
  described: Described,
): Promise<FileMetadata> => {
  const session = await place.told(key, async () => await begun(place, key, described));
  try {
    return await sent(place, key, session, pieces);
  } catch (error) {
    // A session that is not ended is kept for a week, and seen by nobody. What failed is the caller's.
    await ended(place, key, session).catch(() => undefined);
    throw error;
  }
};

const ended = async (place: GcsPlace, key: string, session: URL): Promise<void> => {
  const { body } = await sendGcs(place, key, { method: 'DELETE', url: session, expected: [499, 404, 410] });
  await body.dump();
};

const begun = async (place: GcsPlace, key: string, { resource, query }: Described): Promise<URL> => {
  const path = `upload/storage/v1/b/${encodeURIComponent(place.address.bucket)}/o`;
  const answer = await sendGcs(place, key, {
    method: 'POST',
    url: apiUrl(place, path, { ...query, uploadType: 'resumable' }),
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(resource),
  });
  await answer.body.dump();
  const { location } = answer.headers;
  if (typeof location !== 'string') throw objectGone(place.name, `${key} (upload)`);
  return new URL(location);
};

const sent = async (
  place: GcsPlace,
  key: string,
  session: URL,
  pieces: AsyncIterable<Uint8Array>,
): Promise<FileMetadata> => {
  const crc = new CRC32C();
  let first = 0;
  let waiting: Uint8Array | null = null;
  for await (const piece of pieces) {
    crc.update(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
    if (waiting !== null) {
      await putPiece(place, key, { session, first, bytes: waiting });
      first += waiting.byteLength;
    }
    waiting = piece;
  }
  const last = { session, first, bytes: waiting ?? new Uint8Array(), crc32c: crc.toString() };
  const stored = await putPiece(place, key, last);
  if (stored === null) throw contentDiffers(place.name, key, 'the service waits for more than there is');
  return stored;
};

interface Piece {
  readonly session: URL;
  /** Where it begins in the object. */
  readonly first: number;
  readonly bytes: Uint8Array;
  /** Of the whole object; only the last piece has it. */
  readonly crc32c?: string;
}

/** The object once it is whole. An attempt after a failed one begins with asking how far that came. */
const putPiece = async (place: GcsPlace, key: string, piece: Piece): Promise<FileMetadata | null> => {
  const { session, first, bytes, crc32c } = piece;
  const end = first + bytes.byteLength;
  const total = crc32c === undefined ? '*' : String(end);
  const put = async (range: string, body: Uint8Array): Promise<number | FileMetadata> => {
    const headers = {
      'content-range': `bytes ${range}/${total}`,
      ...(crc32c === undefined ? {} : { 'x-goog-hash': `crc32c=${crc32c}` }),
    };
    const sending = { method: 'PUT', url: session, headers, body, expected: [INCOMPLETE] } as const;
    return await received(await sendGcs(place, key, sending));
  };
  let attempts = 0;
  return await place.told(key, async () => {
    attempts += 1;
    let at: number | FileMetadata = attempts === 1 ? first : await put('*', new Uint8Array());
    while (typeof at === 'number' && at < end) {
      if (at < first) throw contentDiffers(place.name, key, 'the service lost what it had received');
      const before: number = at;
      at = await put(`${at}-${end - 1}`, bytes.subarray(at - first));
      if (at === before) throw contentDiffers(place.name, key, 'the service takes no more');
    }
    return typeof at === 'number' ? null : at;
  });
};

/** How many bytes of the object the service has; the object itself once it is whole. */
const received = async ({
  statusCode,
  headers,
  body,
}: Dispatcher.ResponseData): Promise<number | FileMetadata> => {
  if (statusCode !== INCOMPLETE) return (await body.json()) as FileMetadata;
  await body.dump();
  const [, last] = /bytes=0-(\d+)/.exec(String(headers['range'] ?? '')) ?? [];
  return last === undefined ? 0 : Number(last) + 1;
};
