/**
 * The hot path: requests that carry bodies, listings and heads, signed by the SDK's signer and sent over undici. The SDK's
 * own way through its middleware costs several times the CPU of the request itself.
 */

import type { S3Client } from '@aws-sdk/client-s3';
import { Agent, type Dispatcher } from 'undici';
import type { HexDigest } from '../../core/objects/hex-digest.ts';
import type { Requests } from '../../core/objects/requests.ts';
import { answerError } from '../../core/objects/store-errors.ts';
import { originOf, type S3Origin } from './s3-origin.ts';
import { EMPTY_SHA256, PAYLOAD_DIGEST, type Sign, signerOf } from './s3-signing.ts';

const CONNECT_MS = 10_000;
/** Of silence on an open connection. */
const SILENCE_MS = 60_000;
/** Idle connections are closed before servers and balancers close them: most do after 60 s, some after 5 s. */
const IDLE_MS = 4_000;
/** An answer that says no is some hundred bytes of XML. */
const MOST_ERROR_BYTES = 64 * 1024;

export interface S3Request {
  readonly method: 'GET' | 'PUT' | 'HEAD';
  /** With the prefix; null for the bucket itself. */
  readonly key: string | null;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: { readonly bytes: Uint8Array; readonly sha256: HexDigest };
}

/** RFC 3986's unreserved characters alone stand as they are: what the signature is computed over is what is sent. */
const escaped = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const pathOf = (base: string, key: string | null): string => {
  if (key !== null) return base + key.split('/').map(escaped).join('/');
  return base.length > 1 ? base.slice(0, -1) : base;
};

export class S3Wire {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #place: string;
  readonly #requests: Requests;
  readonly #agent = new Agent({
    connect: { timeout: CONNECT_MS },
    headersTimeout: SILENCE_MS,
    bodyTimeout: SILENCE_MS,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: SILENCE_MS,
  });
  /** Bodies that are being read end with the command. */
  readonly #stop = (): void => void this.#agent.destroy(null);
  #found: Promise<{ readonly to: S3Origin; readonly sign: Sign }> | null = null;

  constructor(client: S3Client, bucket: string, place: string, requests: Requests) {
    this.#client = client;
    this.#bucket = bucket;
    this.#place = place;
    this.#requests = requests;
    requests.patience.signal.addEventListener('abort', this.#stop, { once: true });
  }

  /** A success, its body unread: the caller reads or dumps it. Any other answer is thrown. One attempt. */
  async send({ method, key, query, headers = {}, body }: S3Request): Promise<Dispatcher.ResponseData> {
    const { to, sign } = await this.#origin();
    const path = pathOf(to.path, key);
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    const signed = await sign({
      method,
      protocol: to.protocol,
      hostname: to.hostname,
      path,
      query: { ...query },
      headers: {
        ...(given as Record<string, string>),
        host: to.host,
        [PAYLOAD_DIGEST]: body?.sha256 ?? EMPTY_SHA256,
      },
    });
    const search = Object.entries(query ?? {}).map(([name, value]) => `${escaped(name)}=${escaped(value)}`);
    const answer = await this.#agent.request({
      origin: to.origin,
      path: search.length === 0 ? path : `${path}?${search.join('&')}`,
      method,
      headers: { ...signed },
      body: body?.bytes ?? null,
      // undici would close the connection behind each HEAD.
      reset: false,
    });
    if (answer.statusCode < 300) return answer;
    throw await this.#refused(answer, key ?? '');
  }

  async close(): Promise<void> {
    this.#requests.patience.signal.removeEventListener('abort', this.#stop);
    await this.#agent.destroy(null);
  }

  /** Found once; asked again after a failure, which may pass. */
  async #origin(): Promise<{ readonly to: S3Origin; readonly sign: Sign }> {
    this.#found ??= originOf(this.#client, this.#bucket).then((to) => ({
      to,
      sign: signerOf(this.#client, to.region, this.#requests.patience.clock),
    }));
    try {
      return await this.#found;
    } catch (error) {
      this.#found = null;
      throw error;
    }
  }

  async #refused(
    { statusCode: status, headers, body }: Dispatcher.ResponseData,
    key: string,
  ): Promise<Error> {
    const text = await beginning(body);
    const header = (name: string): string | undefined => {
      const value = headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    return answerError({
      place: this.#place,
      subject: key,
      status,
      // S3, "Error responses"
      reason: /<Code>([^<]*)<\/Code>/.exec(text)?.[1] ?? '',
      retryAfter: header('retry-after'),
      date: header('date'),
      nowMs: this.#requests.patience.clock.nowMs(),
    });
  }
}

const beginning = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    pieces.push(piece);
    bytes += piece.byteLength;
    if (bytes >= MOST_ERROR_BYTES) break;
  }
  return Buffer.concat(pieces).toString();
};
