/** That the target holds the bytes: read back, or attested by the store itself. */

import { createHash } from 'node:crypto';
import type { HexDigest } from '../objects/hex-digest.ts';
import type { ObjectInfo, ObjectStore } from '../objects/object-store.ts';
import { resumedRead } from '../objects/resumed-read.ts';
import { contentDiffers } from '../objects/store-errors.ts';
import { patienceOf, type MirrorPorts } from './ports.ts';

/**
 * - `attested`: the store's own digest of what it holds is that of what was sent
 * - `read-back`: it was read again and its sha256 compared
 * - `recorded`: the last signed manifest proved this very version
 */
export type Proof = 'attested' | 'read-back' | 'recorded';

export interface Expected {
  readonly bytes: number;
  readonly sha256: HexDigest;
  /** Of the same bytes, where it was computed; 32 hex digits. */
  readonly md5: string | null;
}

type Reading = Pick<MirrorPorts, 'clock' | 'signal'>;

/** The sha256 of exactly this version. XC-5402 where there is another one. */
export const digestOf = async (
  store: ObjectStore,
  info: Pick<ObjectInfo, 'key' | 'bytes' | 'version'>,
  reading: Reading,
  pace: MirrorPorts['pace'] = () => null,
): Promise<HexDigest> => {
  const hash = createHash('sha256');
  for await (const piece of resumedRead(store, info, patienceOf(reading))) {
    hash.update(piece);
    const wait = pace(piece.byteLength);
    if (wait) await wait;
  }
  return hash.digest('hex') as HexDigest;
};

/**
 * S3's ETag of an object that one request wrote is the MD5 of what the store holds ("Checking object integrity"), unless
 * it is encrypted under KMS; then it is not, and never equal. One of parts has a hyphen and is no digest of anything.
 */
const attests = (store: ObjectStore, info: ObjectInfo, md5: string | null): boolean =>
  store.kind === 's3' && md5 !== null && info.version === md5;

/** @throws XcError XC-5403 where the store holds something else */
export const prove = async (
  store: ObjectStore,
  info: ObjectInfo,
  expected: Expected,
  reading: Reading,
): Promise<Proof> => {
  if (info.bytes !== expected.bytes)
    throw contentDiffers(store.place, info.key, `${info.bytes} bytes instead of ${expected.bytes}`);
  if (attests(store, info, expected.md5)) return 'attested';
  const held = await digestOf(store, info, reading);
  if (held !== expected.sha256)
    throw contentDiffers(store.place, info.key, `sha256 ${held} instead of ${expected.sha256}`);
  return 'read-back';
};
