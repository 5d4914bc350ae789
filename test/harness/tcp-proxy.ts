/**
 * A TCP proxy on loopback whose line a test makes slow, silent or broken:
 *
 *   await using proxy = await startTcpProxy({ port: pair.source.port });
 *   proxy.delay(50);            // each chunk arrives 50 ms later, in each direction
 *   proxy.pause();              // bytes are accepted and go nowhere; resume() lets them go on
 *   proxy.cut();                // resets every connection; new ones are still let in
 *   proxy.refuse(true);         // resets new ones too
 */

import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Connections that are open now. */
  readonly connections: number;
  /** Bytes that left the proxy towards clients, since its start. */
  readonly bytesToClients: number;
  delay(ms: number): void;
  pause(direction?: Direction): void;
  resume(): void;
  cut(): void;
  refuse(on: boolean): void;
  /** The DSN with the proxy's address in place of the server's. */
  dsn(through: string): string;
  close(): Promise<void>;
}

export type Direction = 'to-server' | 'to-client' | 'both';

/** Chunks (of up to 64 KiB) that may be on their way in one direction while they are delayed; then the sender waits. */
const MAX_CHUNKS_IN_FLIGHT = 64;

interface Line {
  delayMs: number;
  paused: Direction | null;
  /** Resolves when the line is resumed. */
  flowing: PromiseWithResolvers<void>;
  bytesToClients: number;
}

interface Chunk {
  readonly data: Buffer;
  readonly dueMs: number;
}

export const startTcpProxy = async (server: {
  readonly port: number;
  readonly host?: string;
}): Promise<TcpProxy> => {
  const line: Line = { delayMs: 0, paused: null, flowing: Promise.withResolvers(), bytesToClients: 0 };
  const sockets = new Set<Socket>();
  let refusing = false;
  const listener = createServer({ noDelay: true }, (client) => {
    if (refusing) return void client.resetAndDestroy();
    const upstream = connect({ port: server.port, host: server.host ?? '127.0.0.1', noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    }
    void join(client, upstream, line);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(0, '127.0.0.1', resolve);
  });
  const { port } = listener.address() as AddressInfo;
  const cut = (): void => sockets.forEach((socket) => socket.resetAndDestroy());
  const resume = (): void => {
    line.paused = null;
    line.flowing.resolve();
  };
  const close = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
    cut();
    // A reset waits for what is still to be written, which a process that stands still never takes.
    for (const socket of sockets) socket.destroy();
    resume();
    await closed;
  };
  return {
    port,
    get connections() {
      return sockets.size / 2;
    },
    get bytesToClients() {
      return line.bytesToClients;
    },
    delay: (ms) => void (line.delayMs = ms),
    pause(direction = 'both') {
      line.paused = direction;
      line.flowing = Promise.withResolvers();
    },
    resume,
    cut,
    refuse: (on) => void (refusing = on),
    dsn(through) {
      const url = new URL(through);
      url.hostname = '127.0.0.1';
      url.port = String(port);
      return url.href;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
};

/** Either side's end or failure ends the other: half of a connection is worth nothing to PostgreSQL. */
const join = async (client: Socket, upstream: Socket, line: Line): Promise<void> => {
  const both = [
    pipeline(client, stamp(line), release(line, 'to-server'), upstream),
    pipeline(upstream, stamp(line), release(line, 'to-client'), client),
  ];
  await Promise.allSettled(both);
  client.destroy();
  upstream.destroy();
};

const stamp = (line: Line): Transform =>
  new Transform({
    readableObjectMode: true,
    readableHighWaterMark: MAX_CHUNKS_IN_FLIGHT,
    transform(data: Buffer, _encoding, done) {
      done(null, { data, dueMs: performance.now() + line.delayMs } satisfies Chunk);
    },
  });

const release = (line: Line, direction: Exclude<Direction, 'both'>): Transform =>
  new Transform({
    writableObjectMode: true,
    writableHighWaterMark: 1,
    transform({ data, dueMs }: Chunk, _encoding, done) {
      void (async () => {
        const waitMs = dueMs - performance.now();
        if (waitMs > 0) await sleep(waitMs);
        while (line.paused === direction || line.paused === 'both') await line.flowing.promise;
        if (direction === 'to-client') line.bytesToClients += data.length;
        done(null, data);
      })();
    },
  });
