import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
import { startTcpProxy } from './tcp-proxy.ts';

const open: (() => void)[] = [];
afterEach(() => open.splice(0).forEach((close) => close()));

/** A server that sends back what it gets. */
const echo = async (): Promise<number> => {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => server.close());
  return (server.address() as AddressInfo).port;
};

const dial = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  await once(socket, 'connect');
  open.push(() => socket.destroy());
  return socket;
};

/** events.once would reject at the error that comes before. */
const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => void socket.once('close', () => resolve()));

const reply = async (socket: Socket, text: string): Promise<string> => {
  let got = '';
  const whole = new Promise<string>((resolve) => {
    socket.on('data', function collect(data: Buffer) {
      got += data.toString();
      if (got.length < text.length) return;
      socket.off('data', collect);
      resolve(got);
    });
  });
  socket.write(text);
  return whole;
};

test('carries bytes both ways, unchanged and in order', async () => {
  await using proxy = await startTcpProxy({ port: await echo() });
  const socket = await dial(proxy.port);
  const text = Array.from({ length: 50_000 }, (_, i) => String(i)).join(',');
  expect(await reply(socket, text)).toBe(text);
  expect(proxy.bytesToClients).toBe(text.length);
  expect(proxy.connections).toBe(1);
});

test('delay holds each direction back, without changing the order', async () => {
  await using proxy = await startTcpProxy({ port: await echo() });
  const socket = await dial(proxy.port);
  proxy.delay(60);
  const start = performance.now();
  expect(await reply(socket, 'slow')).toBe('slow');
  // Timers may fire up to a millisecond early.
  expect(performance.now() - start).toBeGreaterThanOrEqual(118);
});

test('pause keeps bytes until resume', async () => {
  await using proxy = await startTcpProxy({ port: await echo() });
  const socket = await dial(proxy.port);
  expect(await reply(socket, 'first')).toBe('first');
  proxy.pause('to-client');
  const answer = reply(socket, 'second');
  expect(await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 100, 'silence'))])).toBe(
    'silence',
  );
  proxy.resume();
  expect(await answer).toBe('second');
});

test('cut resets what is open, and lets new connections in; refuse does not', async () => {
  await using proxy = await startTcpProxy({ port: await echo() });
  const socket = await dial(proxy.port);
  await reply(socket, 'x');
  const gone = closed(socket);
  proxy.cut();
  await gone;
  const next = await dial(proxy.port);
  expect(await reply(next, 'y')).toBe('y');
  proxy.refuse(true);
  const refused = connect(proxy.port, '127.0.0.1').on('error', () => undefined);
  await closed(refused);
  expect(refused.bytesRead).toBe(0);
  expect(await reply(next, 'z')).toBe('z');
});
