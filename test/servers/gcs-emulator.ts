/**
 * The part of Cloud Storage's JSON API that the store uses, on loopback and in memory: generations and preconditions,
 * multipart and resumable uploads, listing in pages, downloads of ranges, rewrite, compose, crc32c and md5. There is no
 * faithful server to be had; what is honoured here is written down at cloud.google.com/storage/docs/json_api/v1.
 */

import { CRC32C } from '@google-cloud/storage';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { compareKeys } from '../../src/core/objects/keys.ts';

interface Stored {
  readonly body: Buffer;
  readonly resource: Readonly<Record<string, unknown>> & { readonly generation: string };
}

interface Session {
  readonly bucket: string;
  readonly resource: Record<string, unknown>;
  readonly query: URLSearchParams;
  readonly pieces: Buffer[];
  bytes: number;
}

interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface GcsEmulator extends AsyncDisposable {
  readonly endpoint: string;
  /** What the next requests are answered with instead, once each. */
  readonly faults: { readonly status: number; readonly retryAfter?: string }[];
  makeBucket(name: string): void;
  /** Also those that no listing of a store shows. */
  namesIn(bucket: string): readonly string[];
}

class Refusal extends Error {
  readonly status: number;
  readonly reason: string;
  constructor(status: number, reason: string) {
    super(reason);
    this.status = status;
    this.reason = reason;
  }
}

const crc32cOf = (body: Buffer): string => {
  const crc = new CRC32C();
  crc.update(body);
  return crc.toString();
};

export const startGcsEmulator = async (): Promise<GcsEmulator> => {
  const buckets = new Map<string, Map<string, Stored>>();
  const sessions = new Map<string, Session>();
  const faults: { status: number; retryAfter?: string }[] = [];
  let generation = 1_700_000_000_000_000;
  let origin = '';

  const objectsOf = (bucket: string): Map<string, Stored> => {
    const objects = buckets.get(bucket);
    if (!objects) throw new Refusal(404, 'notFound');
    return objects;
  };

  const check = (now: Stored | undefined, query: URLSearchParams): void => {
    const wanted = query.get('ifGenerationMatch');
    if (wanted !== null && wanted !== (now?.resource.generation ?? '0'))
      throw new Refusal(412, 'conditionNotMet');
  };

  const found = (bucket: string, name: string, wanted: string | null): Stored => {
    const stored = objectsOf(bucket).get(name);
    if (!stored || (wanted !== null && stored.resource.generation !== wanted))
      throw new Refusal(404, 'notFound');
    return stored;
  };

  const store = (
    bucket: string,
    given: Readonly<Record<string, unknown>>,
    body: Buffer,
    query: URLSearchParams,
  ): Answer => {
    const named = given['name'];
    const name = typeof named === 'string' ? named : (query.get('name') ?? '');
    check(objectsOf(bucket).get(name), query);
    const crc32c = crc32cOf(body);
    const md5Hash = createHash('md5').update(body).digest('base64');
    if (given['crc32c'] !== undefined && given['crc32c'] !== crc32c) throw new Refusal(400, 'invalid');
    if (given['md5Hash'] !== undefined && given['md5Hash'] !== md5Hash) throw new Refusal(400, 'invalid');
    generation += 1;
    const now = new Date().toISOString();
    const resource = {
      ...given,
      kind: 'storage#object',
      name,
      bucket,
      generation: String(generation),
      metageneration: '1',
      size: String(body.length),
      crc32c,
      md5Hash,
      timeCreated: now,
      updated: now,
      etag: `e${generation}`,
    };
    objectsOf(bucket).set(name, { body, resource });
    return { status: 200, json: resource };
  };

  const upload = async (
    bucket: string,
    query: URLSearchParams,
    request: IncomingMessage,
  ): Promise<Answer> => {
    const body = await bodyOf(request);
    if (query.get('uploadType') === 'resumable') {
      const resource = {
        ...parsed(body),
        ...(query.get('name') === null ? {} : { name: query.get('name') }),
      };
      check(objectsOf(bucket).get(String(resource.name)), query);
      const id = randomUUID();
      sessions.set(id, { bucket, resource, query, pieces: [], bytes: 0 });
      return { status: 200, headers: { location: `http://${request.headers.host}/resumable/${id}` } };
    }
    const boundary = /boundary="?([^";]+)/.exec(request.headers['content-type'] ?? '')?.[1] ?? '';
    const [description, content] = partsOf(body, boundary);
    return store(bucket, parsed(description) ?? {}, content, query);
  };

  const resume = async (id: string, request: IncomingMessage): Promise<Answer> => {
    const session = sessions.get(id);
    if (!session) throw new Refusal(410, 'gone');
    if (request.method === 'DELETE') {
      sessions.delete(id);
      return { status: 499 };
    }
    const [, first, last, total] =
      /bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)/.exec(request.headers['content-range'] ?? 'bytes 0-*/*') ?? [];
    const body = await bodyOf(request);
    if (first !== undefined) {
      if (Number(first) > session.bytes) throw new Refusal(503, 'backendError');
      const fresh = body.subarray(session.bytes - Number(first));
      session.pieces.push(fresh);
      session.bytes += fresh.length;
    }
    const complete =
      request.headers['content-range'] === undefined ||
      (total !== '*' &&
        Number(total) === session.bytes &&
        (first !== undefined || session.bytes === Number(total)));
    if (complete || (last === '*' && total === '*')) {
      sessions.delete(id);
      const [, crc32c] = /crc32c=([^,]+)/.exec(String(request.headers['x-goog-hash'] ?? '')) ?? [];
      const resource = crc32c === undefined ? session.resource : { ...session.resource, crc32c };
      return store(session.bucket, resource, Buffer.concat(session.pieces), session.query);
    }
    return {
      status: 308,
      headers: session.bytes === 0 ? {} : { range: `bytes=0-${session.bytes - 1}` },
    };
  };

  const list = (bucket: string, query: URLSearchParams): Answer => {
    const names = [...objectsOf(bucket).keys()]
      .filter((name) => name.startsWith(query.get('prefix') ?? ''))
      .filter((name) => compareKeys(name, query.get('pageToken') ?? '') > 0)
      .toSorted(compareKeys);
    const page = names.slice(0, Number(query.get('maxResults') ?? 1000));
    const items = page.map((name) => objectsOf(bucket).get(name)?.resource);
    return {
      status: 200,
      json: { items, ...(page.length < names.length ? { nextPageToken: page.at(-1) } : {}) },
    };
  };

  const download = (stored: Stored, request: IncomingMessage): Answer => {
    const [, first, last] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? [];
    const headers = {
      'content-type': 'application/octet-stream',
      'x-goog-generation': stored.resource.generation,
      'x-goog-hash': `crc32c=${String(stored.resource['crc32c'])},md5=${String(stored.resource['md5Hash'])}`,
      'x-goog-stored-content-encoding': 'identity',
      'x-goog-stored-content-length': String(stored.body.length),
    };
    if (first === undefined) return { status: 200, body: stored.body, headers };
    const body = stored.body.subarray(Number(first), last === '' ? undefined : Number(last) + 1);
    if (body.length === 0 && stored.body.length > 0) throw new Refusal(416, 'requestedRangeNotSatisfiable');
    return {
      status: 206,
      body,
      headers: {
        ...headers,
        'content-range': `bytes ${first}-${Number(first) + body.length - 1}/${stored.body.length}`,
      },
    };
  };

  const compose = async (
    bucket: string,
    name: string,
    query: URLSearchParams,
    request: IncomingMessage,
  ): Promise<Answer> => {
    const asked = parsed(await bodyOf(request)) ?? {};
    const sources = asked['sourceObjects'] as { name: string; generation?: string | number }[];
    if (sources.length > 32) throw new Refusal(400, 'invalid');
    const bodies = sources.map(
      (source) =>
        found(bucket, source.name, source.generation === undefined ? null : String(source.generation)).body,
    );
    return store(bucket, { ...(asked['destination'] as object), name }, Buffer.concat(bodies), query);
  };

  const rewrite = async (
    from: [string, string],
    to: [string, string],
    query: URLSearchParams,
    request: IncomingMessage,
  ): Promise<Answer> => {
    const given = parsed(await bodyOf(request)) ?? {};
    const source = found(...from, query.get('sourceGeneration'));
    const { metadata, contentType } = source.resource;
    const { json } = store(to[0], { metadata, contentType, ...given, name: to[1] }, source.body, query);
    return { status: 200, json: { kind: 'storage#rewriteResponse', done: true, resource: json } };
  };

  const patch = async (
    bucket: string,
    name: string,
    query: URLSearchParams,
    request: IncomingMessage,
  ): Promise<Answer> => {
    const stored = found(bucket, name, null);
    check(stored, query);
    const given = parsed(await bodyOf(request)) ?? {};
    const metadata = {
      ...(stored.resource['metadata'] as object | undefined),
      ...(given['metadata'] as object | undefined),
    };
    const resource = {
      ...stored.resource,
      ...given,
      metadata,
      metageneration: String(Number(stored.resource['metageneration']) + 1),
    };
    objectsOf(bucket).set(name, { ...stored, resource });
    return { status: 200, json: resource };
  };

  const route = async (request: IncomingMessage): Promise<Answer> => {
    const fault = faults.shift();
    if (fault) {
      await bodyOf(request);
      return {
        status: fault.status,
        json: errorOf(fault.status, 'fault'),
        headers: fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter },
      };
    }
    const { pathname, searchParams: query } = new URL(request.url ?? '/', origin);
    const parts = pathname.split('/').map(decodeURIComponent);
    if (parts[1] === 'resumable') return await resume(parts[2] ?? '', request);
    if (parts[1] === 'upload') return await upload(parts[5] ?? '', query, request);
    const [, , , , bucket = '', , name = '', verb, , toBucket = '', , toName = ''] = parts;
    if (name === '') return list(bucket, query);
    if (verb === 'rewriteTo') return await rewrite([bucket, name], [toBucket, toName], query, request);
    if (verb === 'compose') return await compose(bucket, name, query, request);
    if (request.method === 'PATCH') return await patch(bucket, name, query, request);
    const stored = found(bucket, name, query.get('generation'));
    if (request.method === 'DELETE') {
      check(stored, query);
      objectsOf(bucket).delete(name);
      return { status: 204 };
    }
    return query.get('alt') === 'media' ? download(stored, request) : { status: 200, json: stored.resource };
  };

  const server = createServer((request, response) => {
    route(request)
      .catch((error: unknown): Answer => {
        if (!(error instanceof Refusal)) throw error;
        return { status: error.status, json: errorOf(error.status, error.reason) };
      })
      .then(
        (answer) => send(response, answer),
        (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
      );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    endpoint: origin,
    faults,
    makeBucket: (name) => void buckets.set(name, new Map()),
    namesIn: (bucket) => [...objectsOf(bucket).keys()],
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};

const errorOf = (code: number, reason: string) => ({
  error: { code, message: reason, errors: [{ reason, message: reason }] },
});

const send = (response: ServerResponse, { status, json, body, headers }: Answer): void => {
  const content = body ?? (json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(json)));
  response.writeHead(status, {
    ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    'content-length': content.length,
    ...headers,
  });
  response.end(content);
};

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
};

const parsed = (body: Buffer): Record<string, unknown> | null =>
  body.length === 0 ? null : (JSON.parse(body.toString()) as Record<string, unknown>);

/** RFC 2387: the description, and the content. */
const partsOf = (body: Buffer, boundary: string): [Buffer, Buffer] => {
  const mark = Buffer.from(`--${boundary}`);
  const second = body.indexOf(mark, mark.length);
  const end = body.lastIndexOf(mark);
  const contentAt = (from: number): number => body.indexOf('\r\n\r\n', from) + 4;
  return [body.subarray(contentAt(0), second - 2), body.subarray(contentAt(second), end - 2)];
};
