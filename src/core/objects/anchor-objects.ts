/**
 * Anchors of an audit log in an object store: each signed checkpoint is an object of its own, written only where none is
 * (If-None-Match), so that whoever changes the log cannot quietly change what was said of it.
 */

import { Buffer } from 'node:buffer';
import { parseCheckpoint } from '../audit/checkpoint.ts';
import type { Anchor } from '../audit/verify.ts';
import { XcError } from '../errors/xc-error.ts';
import type { ObjectStore } from './object-store.ts';
import { behaviourOf } from './store-errors.ts';

export interface AnchoredCheckpoint {
  /** "xcrepl/CONTROL-PLANE/KEY". */
  readonly origin: string;
  readonly size: number;
  /** The signed note. */
  readonly note: string;
}

/** Below the region's whole place, beside those of its tenants. */
const prefixOf = (origin: string): string => `xcrepl/audit/${origin.replace(/^xcrepl\//, '')}/`;

/** As many digits as the largest size that counts exactly has: the order of the keys is that of the sizes. */
const SIZE_DIGITS = 16;

export const anchorKey = (origin: string, size: number): string =>
  `${prefixOf(origin)}${String(size).padStart(SIZE_DIGITS, '0')}`;

/**
 * Writes it, unless the same is there.
 * @throws XcError XC-5291 where another checkpoint of this size is; what the store throws
 */
export const writeAnchorObject = async (
  store: ObjectStore,
  { origin, size, note }: AnchoredCheckpoint,
): Promise<void> => {
  const key = anchorKey(origin, size);
  const body = Buffer.from(note);
  try {
    await store.write(key, once(body), {
      when: { kind: 'absent' },
      bytes: body.length,
      contentType: 'text/plain; charset=utf-8',
    });
  } catch (error) {
    if (behaviourOf(error) !== 'precondition') throw error;
    refuseAnother(`${store.place} ${key}`, await textOf(store, key), note);
  }
};

/** @throws XcError XC-5291 where the two notes speak of different trees; a signature may differ */
export const refuseAnother = (place: string, there: string, note: string): void => {
  const [known, ours] = [parseCheckpoint(there), parseCheckpoint(note)];
  if (known && ours && known.size === ours.size && Buffer.compare(known.root, ours.root) === 0) return;
  throw new XcError('XC-5291', {
    subject: place,
    why: `it holds another checkpoint of ${ours?.size ?? 0} entries than this log has`,
  });
};

/** Anchors that are read of one place: the newest decides, and earlier ones say where a change is. */
const MOST_READ = 64;
/** How many of these are the newest; the rest are spread evenly. */
const NEWEST_READ = 16;

/**
 * Anchors of the log, the smallest tree first: all, or of very many the newest and some of each time before.
 * @param most 1 for the newest alone
 */
export const readAnchorObjects = async (
  store: ObjectStore,
  origin: string,
  place: string,
  most: number = MOST_READ,
): Promise<Anchor[]> => {
  const prefix = prefixOf(origin);
  const keys: string[] = [];
  for await (const { key } of store.list(prefix))
    if (/^\d{16}$/.test(key.slice(prefix.length))) keys.push(key);
  const anchors: Anchor[] = [];
  for (const key of spread(keys, most)) anchors.push({ place, note: await textOf(store, key) });
  return anchors;
};

const spread = (keys: readonly string[], most: number): readonly string[] => {
  if (keys.length <= most) return keys;
  const newest = Math.min(most, NEWEST_READ);
  const older = keys.slice(0, -newest);
  const step = older.length / Math.max(1, most - newest);
  const some = Array.from({ length: most - newest }, (_, at) => older[Math.floor(at * step)]!);
  return [...some, ...keys.slice(-newest)];
};

/** A note is a few hundred bytes; more than this is none, and is not read further. */
const MAX_NOTE_BYTES = 65_536;

const textOf = async (store: ObjectStore, key: string): Promise<string> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.read(key, { range: { first: 0, end: MAX_NOTE_BYTES } })) pieces.push(piece);
  return Buffer.concat(pieces).toString();
};

async function* once(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}
