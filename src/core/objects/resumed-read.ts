/** A read that survives cut connections: it goes on behind the last byte that came, in the same version of the object. */

import type { ObjectInfo, ObjectStore } from './object-store.ts';
import { type Patience, waitOrThrow } from './patience.ts';
import { behaviourOf, contentDiffers } from './store-errors.ts';

/**
 * The whole object of exactly this version. Errors that pass by themselves are waited out, counted anew after each byte
 * that came; all others, and a body that ends early or late (XC-5403), are thrown.
 */
export async function* resumedRead(
  store: ObjectStore,
  info: Pick<ObjectInfo, 'key' | 'bytes' | 'version'>,
  patience: Patience,
): AsyncGenerator<Uint8Array> {
  let at = 0;
  let failures = 0;
  while (at < info.bytes || (info.bytes === 0 && failures === 0)) {
    try {
      const range = { first: at, end: info.bytes };
      const body = store.read(info.key, {
        version: info.version,
        ...(info.bytes === 0 ? {} : { range }),
      });
      for await (const piece of body) {
        at += piece.byteLength;
        failures = 0;
        yield piece;
      }
      if (at === info.bytes) return;
      throw contentDiffers(store.place, info.key, `ended after ${at} of ${info.bytes} bytes`);
    } catch (error) {
      // A body that just stops is a cut connection too, until that is all it ever does.
      const passes = behaviourOf(error) === 'retry' || behaviourOf(error) === 'damaged';
      failures += 1;
      if (!passes || at > info.bytes) throw error;
      await waitOrThrow(error, failures, patience);
    }
  }
}
