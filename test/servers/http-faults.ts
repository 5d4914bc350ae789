/**
 * An HTTP proxy on loopback before a real server, with which a test answers in the server's place, or damages what passes.
 * It passes the host on as the client named it: signatures stay right.
 */

import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export interface InsteadAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpFaults extends AsyncDisposable {
  readonly port: number;
  /** What the next requests are answered with instead, once each. */
  readonly instead: InsteadAnswer[];
  /** Requests that came, those answered here among them. */
  readonly requests: number;
  /** Turns one bit in each body of a request of at least this many bytes; null for none. */
  damageFromBytes: number | null;
}

export const startHttpFaults = async (server: { readonly port: number }): Promise<HttpFaults> => {
  const instead: InsteadAnswer[] = [];
  const state = { requests: 0, damageFromBytes: null as number | null };

  const passOn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method, url: path, headers, rawHeaders } = request;
    const onward = ask({
      host: '127.0.0.1',
      port: server.port,
      method,
      path,
      headers: rawHeaders,
      agent: false,
    });
    const answered = once(onward, 'response') as Promise<[IncomingMessage]>;
    const bytes = Number(headers['content-length'] ?? (headers['transfer-encoding'] ? Infinity : 0));
    const damages = state.damageFromBytes !== null && bytes >= state.damageFromBytes;
    await (damages ? pipeline(request, damaged(), onward) : pipeline(request, onward));
    const [answer] = await answered;
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
    await pipeline(answer, response);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    state.requests += 1;
    const answer = instead.shift();
    if (!answer) return await passOn(request, response);
    request.resume();
    await once(request, 'end');
    response.writeHead(answer.status, { 'content-length': '0', ...answer.headers });
    response.end();
  };

  const listener = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  return {
    port,
    instead,
    get requests() {
      return state.requests;
    },
    get damageFromBytes() {
      return state.damageFromBytes;
    },
    set damageFromBytes(bytes) {
      state.damageFromBytes = bytes;
    },
    async [Symbol.asyncDispose]() {
      listener.closeAllConnections();
      listener.close();
      await once(listener, 'close');
    },
  };
};

/** One bit of the 4,097th byte: behind what a multipart body begins with. */
const damaged = (): Transform => {
  let at = 0;
  return new Transform({
    transform(data: Buffer, _encoding, done) {
      const place = 4096 - at;
      at += data.length;
      const other = Buffer.from(data);
      if (place >= 0 && place < data.length) other[place] = (other[place] ?? 0) ^ 1;
      done(null, other);
    },
  });
};
