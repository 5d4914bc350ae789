/**
 * Requests that carry the bodies of objects: signed in by the client's own credentials, and sent over undici. The client's
 * streams hold more than they say, and ask again by rules of their own.
 */

import { type Dispatcher, request } from 'undici';
import { answerError, unreachable } from '../../core/objects/store-errors.ts';
import type { GcsPlace } from './gcs-place.ts';

const GOOGLE = 'https://storage.googleapis.com';
const SILENCE_MS = 60_000;

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Answers that are no failure, besides those of success. */
  readonly expected?: readonly number[];
}

/** `storage/v1/b/BUCKET/o`, below an endpoint that may have a path of its own. */
export const apiUrl = (
  place: GcsPlace,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): URL => {
  const { endpoint = GOOGLE } = place.address;
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/${path}`);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.set(name, value);
  return url;
};

const authorization = async (place: GcsPlace, url: URL): Promise<Record<string, string>> => {
  const { endpoint, credentials } = place.address;
  if (endpoint !== undefined && credentials === undefined) return {};
  const headers = await place.bucket.storage.authClient.getRequestHeaders(url.href);
  return Object.fromEntries(headers.entries());
};

/** One attempt. The body of the answer is unread: the caller reads or dumps it. */
export const sendGcs = async (
  place: GcsPlace,
  key: string,
  { method, url, headers, body, expected = [] }: GcsRequest,
): Promise<Dispatcher.ResponseData> => {
  const all = { ...(await authorization(place, url)), ...headers };
  const limits = { headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS };
  const answer = await request(url, { method, headers: all, body: body ?? null, ...limits }).catch(
    (error: unknown) => {
      throw unreachable(place.name, key, error);
    },
  );
  const { statusCode: status } = answer;
  if (status < 300 || expected.includes(status)) return answer;
  await answer.body.dump();
  const { 'retry-after': retryAfter, date } = answer.headers;
  throw answerError({
    place: place.name,
    subject: key,
    status,
    reason: '',
    retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
    date: typeof date === 'string' ? date : undefined,
    nowMs: place.clock.nowMs(),
  });
};
