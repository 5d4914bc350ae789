/**
 * "Objects: get" with alt=media, signed by the client's own credentials and sent over undici: the client's download
 * stream adds a listener for each piece, and goes on receiving what nobody reads any more.
 */

import { CRC32C } from '@google-cloud/storage';
import { setTimeout as sleep } from 'node:timers/promises';
import pRetry from 'p-retry';
import { type Dispatcher, request } from 'undici';
import type { ReadOptions } from '../../core/objects/object-store.ts';
import {
  answerError,
  behaviourOf,
  contentDiffers,
  preconditionFailed,
  retryAfterMs,
  unreachable,
} from '../../core/objects/store-errors.ts';
import type { GcsPlace } from './gcs-place.ts';

const GOOGLE = 'https://storage.googleapis.com';
const SILENCE_MS = 60_000;
const RETRIES = 5;
const FIRST_WAIT_MS = 250;

const target = (place: GcsPlace, key: string, version: string | undefined): URL => {
  const { endpoint = GOOGLE, bucket, prefix } = place.address;
  const path = `storage/v1/b/${encodeURIComponent(bucket)}/o/${encodeURIComponent(prefix + key)}`;
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/${path}`);
  url.searchParams.set('alt', 'media');
  if (version !== undefined) url.searchParams.set('generation', version);
  return url;
};

const authorization = async (place: GcsPlace, url: URL): Promise<Record<string, string>> => {
  if (place.address.endpoint !== undefined) return {};
  const headers = await place.bucket.storage.authClient.getRequestHeaders(url.href);
  return Object.fromEntries(headers.entries());
};

/** The answer's head; what passes by itself is tried again before anything was received. */
const opened = async (
  place: GcsPlace,
  key: string,
  { range, version }: ReadOptions,
  isThere: () => Promise<boolean>,
): Promise<Dispatcher.ResponseData> => {
  const url = target(place, key, version);
  const wanted =
    range === undefined
      ? {}
      : { range: `bytes=${range.first}-${range.end === undefined ? '' : range.end - 1}` };
  const headers = { ...(await authorization(place, url)), ...wanted };
  const answer = await request(url, { headers, headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS }).catch(
    (error: unknown) => {
      throw unreachable(place.name, key, error);
    },
  );
  const { statusCode: status, body } = answer;
  if (status < 300) return answer;
  await body.dump();
  if (status === 404 && version !== undefined && (await isThere()))
    throw preconditionFailed(place.name, key, 'another version');
  const retryAfter = answer.headers['retry-after'];
  throw answerError({
    place: place.name,
    subject: key,
    status,
    reason: '',
    retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
    nowMs: place.clock.nowMs(),
  });
};

/** Whole objects are held against the crc32c that the service announces. */
export async function* download(
  place: GcsPlace,
  key: string,
  options: ReadOptions,
  isThere: () => Promise<boolean>,
): AsyncGenerator<Uint8Array> {
  const { range } = options;
  const { headers, body } = await place.told(key, async () =>
    pRetry(async () => await opened(place, key, options, isThere), {
      retries: RETRIES,
      minTimeout: FIRST_WAIT_MS,
      shouldRetry: ({ error }) => behaviourOf(error) === 'retry',
      onFailedAttempt: async ({ error }) => {
        await sleep(retryAfterMs(error) ?? 0);
      },
    }),
  );
  const announced =
    range === undefined ? /crc32c=([^,]+)/.exec(String(headers['x-goog-hash']))?.[1] : undefined;
  const crc = new CRC32C();
  try {
    for await (const piece of body) {
      if (announced !== undefined) crc.update(piece as Buffer);
      yield piece as Buffer;
    }
  } catch (error) {
    throw unreachable(place.name, key, error);
  } finally {
    body.destroy();
  }
  if (announced !== undefined && crc.toString() !== announced)
    throw contentDiffers(place.name, key, 'its crc32c is another one');
}
