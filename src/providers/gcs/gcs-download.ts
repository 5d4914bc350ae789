/**
 * "Objects: get" with alt=media, signed by the client's own credentials and sent over undici: the client's download
 * stream adds a listener for each piece, and goes on receiving what nobody reads any more.
 */

import { CRC32C } from '@google-cloud/storage';
import type { Dispatcher } from 'undici';
import type { ReadOptions } from '../../core/objects/object-store.ts';
import { rangeHeader } from '../../core/objects/ranges.ts';
import {
  behaviourOf,
  contentDiffers,
  preconditionFailed,
  unreachable,
} from '../../core/objects/store-errors.ts';
import type { GcsPlace } from './gcs-place.ts';
import { apiUrl, sendGcs } from './gcs-wire.ts';

/** The answer's head. */
const opened = async (
  place: GcsPlace,
  key: string,
  { range, version }: ReadOptions,
  isThere: () => Promise<boolean>,
): Promise<Dispatcher.ResponseData> => {
  const { bucket, prefix } = place.address;
  const path = `storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(prefix + key)}`;
  const wanted = rangeHeader(range);
  try {
    return await sendGcs(place, key, {
      method: 'GET',
      url: apiUrl(place, path, { alt: 'media', generation: version }),
      headers: wanted === undefined ? {} : { range: wanted },
    });
  } catch (error) {
    if (behaviourOf(error) === 'gone' && version !== undefined && (await isThere()))
      throw preconditionFailed(place.name, key, 'another version');
    throw error;
  }
};

/** Whole objects are held against the crc32c that the service announces. */
export async function* download(
  place: GcsPlace,
  key: string,
  options: ReadOptions,
  isThere: () => Promise<boolean>,
): AsyncGenerator<Uint8Array> {
  const { range } = options;
  const { headers, body } = await place.told(key, async () => await opened(place, key, options, isThere));
  const announced =
    range === undefined ? /crc32c=([^,]+)/.exec(String(headers['x-goog-hash']))?.[1] : undefined;
  const crc = new CRC32C();
  try {
    for await (const piece of body) {
      place.requests.patience.signal.throwIfAborted();
      if (announced !== undefined) crc.update(piece as Buffer);
      yield piece as Buffer;
    }
  } catch (error) {
    place.requests.patience.signal.throwIfAborted();
    throw unreachable(place.name, key, error);
  } finally {
    body.destroy();
  }
  if (announced !== undefined && crc.toString() !== announced)
    throw contentDiffers(place.name, key, 'its crc32c is another one');
}
