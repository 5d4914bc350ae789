/** The answer to the last request of a write is no proof: the object, as the store describes it afterwards, is. */

import type { HexDigest } from './hex-digest.ts';
import type { ObjectInfo } from './object-store.ts';
import { contentDiffers, objectGone } from './store-errors.ts';

interface Seen {
  readonly place: string;
  readonly head: (key: string) => Promise<ObjectInfo | null>;
}

/** @throws XcError XC-5401, XC-5403 */
export const readBack = async (store: Seen, key: string, bytes: number): Promise<ObjectInfo> => {
  const info = await store.head(key);
  if (info === null) throw objectGone(store.place, key);
  if (info.bytes !== bytes) throw contentDiffers(store.place, key, `${info.bytes} bytes instead of ${bytes}`);
  return info;
};

/**
 * Null unless this very content stands there: how a write that met its own work (`retried`) tells it from another's. Two
 * writers of the same bytes are told that both have written them; who wants to be the only one writes who he is.
 */
export const contentThere = async (
  store: Pick<Seen, 'head'>,
  key: string,
  bytes: number,
  sha256: HexDigest | null,
): Promise<ObjectInfo | null> => {
  const info = await store.head(key);
  return info !== null && sha256 !== null && info.bytes === bytes && info.sha256 === sha256 ? info : null;
};

/** A removal that met its own work: whoever removed it, it is not there any more. */
export const isGone = async (store: Pick<Seen, 'head'>, key: string): Promise<true | null> =>
  (await store.head(key)) === null ? true : null;
