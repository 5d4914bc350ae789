import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { httpAsk } from './ask.ts';
import { lookupName } from './lookup.ts';
import { shownUrl } from './shown-url.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const serve = async (listener: RequestListener): Promise<string> => {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

const never = new AbortController().signal;

describe('httpAsk', () => {
  it('gives status and headers, and follows no redirect', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(302, { location: 'http://127.0.0.1:1/', 'x-region': 'eu' });
      response.end('body');
    });
    expect(await httpAsk(never)({ url, method: 'GET' })).toMatchObject({
      kind: 'answer',
      status: 302,
      headers: { 'x-region': 'eu' },
    });
  });

  it('sends method, path and headers', async () => {
    const seen: unknown[] = [];
    const url = await serve((request, response) => {
      seen.push(request.method, request.url, request.headers['x-a']);
      response.end();
    });
    await httpAsk(never)({ url: `${url}/b?c=d`, method: 'HEAD', headers: { 'x-a': '1' } });
    expect(seen).toEqual(['HEAD', '/b?c=d', '1']);
  });

  it('does not wait for the end of a body', async () => {
    const url = await serve((_request, response) => void response.writeHead(200).write('x'));
    expect(await httpAsk(never)({ url, method: 'GET' })).toMatchObject({ status: 200 });
  });

  it('gives up on a server that accepts and never answers', async () => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await httpAsk(AbortSignal.timeout(100))({ url, method: 'GET' })).toEqual({
      kind: 'none',
      why: 'no answer within the time allowed',
    });
  });

  it('says that nobody listens, and what is no URL', async () => {
    const url = await serve((_request, response) => void response.end());
    await closers.pop()?.();
    expect(await httpAsk(never)({ url, method: 'GET' })).toMatchObject({
      kind: 'none',
      why: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await httpAsk(never)({ url: 'file:///etc/passwd', method: 'GET' })).toMatchObject({
      kind: 'none',
    });
  });
});

describe('lookupName', () => {
  it('needs no look-up for addresses, sockets and this machine', async () => {
    const hangs = 'setInterval(() => {}, 1000)';
    for (const host of ['127.0.0.1', '::1', '[::1]', '/run/pg', 'localhost', ''])
      expect(await lookupName(host, never, hangs)).toEqual({ kind: 'found' });
  });

  it('gives up on a resolver that hangs', async () => {
    const found = await lookupName('db.example', AbortSignal.timeout(200), 'setInterval(() => {}, 1000)');
    expect(found).toEqual({
      kind: 'none',
      why: 'the name db.example was not resolved within the time allowed',
    });
  });

  it('passes the name on and says why it does not resolve', async () => {
    const echo = "process.stdout.write(process.argv[1] === 'db.example' ? 'ENOTFOUND' : 'found')";
    expect(await lookupName('db.example', never, echo)).toMatchObject({
      kind: 'none',
      why: expect.stringContaining('ENOTFOUND'),
    });
    expect(await lookupName('other.example', never, echo)).toEqual({ kind: 'found' });
  });
});

describe('shownUrl', () => {
  it('leaves out whatever may be a secret', () => {
    expect(shownUrl('https://user:hunter2@h:9000/path?token=hunter2#hunter2')).toBe('https://h:9000/path');
    expect(shownUrl('hunter2')).toBe('(no URL)');
  });
});
