import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { isXcError, type XcError } from '../../core/errors/xc-error.ts';
import { connect } from './connect.ts';

const open: { server: Server; sockets: Set<Socket> }[] = [];

const serve = async (onSocket: (socket: Socket) => void): Promise<number> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  open.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

afterEach(async () => {
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});

const failure = async (dsn: string, more: Partial<Parameters<typeof connect>[1]> = {}): Promise<XcError> => {
  const error = await connect(dsn, { subject: 'us-east-1', connectTimeoutMs: 300, ...more }).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!isXcError(error)) throw new Error(`expected an XcError, got ${String(error)}`);
  expect(`${error.message} ${error.next} ${JSON.stringify(error)}`).not.toContain('hunter2');
  return error;
};

describe('connect', () => {
  it('hangs up on a server that accepts and never answers', async () => {
    const port = await serve(() => {});
    const error = await failure(`postgres://app:hunter2@127.0.0.1:${port}/d`);
    expect(error.code).toBe('XC-6001');
    expect(error.message).toContain(`us-east-1 (app@127.0.0.1:${port}/d)`);
  });

  it('hangs up on a server that answers the TLS question and then never again', async () => {
    const port = await serve((socket) => socket.once('data', () => socket.write('N')));
    expect((await failure(`postgres://app:hunter2@127.0.0.1:${port}/d`)).code).toBe('XC-6001');
  });

  it('says that TLS was refused where it was demanded', async () => {
    const port = await serve((socket) => socket.once('data', () => socket.write('N')));
    expect((await failure(`postgres://app:hunter2@127.0.0.1:${port}/d?sslmode=require`)).code).toBe(
      'XC-4003',
    );
  });

  it('says that nobody listens', async () => {
    const port = await serve(() => {});
    const { server } = open.splice(0)[0] ?? {};
    await new Promise((resolve) => server?.close(resolve));
    expect((await failure(`postgres://app:hunter2@127.0.0.1:${port}/d`)).code).toBe('XC-6001');
  });

  it('says that the server hung up', async () => {
    const port = await serve((socket) => socket.destroy());
    expect((await failure(`postgres://app:hunter2@127.0.0.1:${port}/d`)).code).toBe('XC-6001');
  });

  it('names a TLS file that is not there', async () => {
    const error = await failure(
      'postgres://app:hunter2@127.0.0.1:1/d?sslmode=verify-ca&sslrootcert=/nowhere/ca.pem',
    );
    expect(error.code).toBe('XC-1012');
    expect(error.why).toContain('/nowhere/ca.pem');
  });

  it('ends when the caller gives up, with the caller’s reason', async () => {
    const port = await serve(() => {});
    const giveUp = new AbortController();
    const waiting = connect(`postgres://app:hunter2@127.0.0.1:${port}/d`, {
      subject: 'us-east-1',
      signal: giveUp.signal,
    });
    giveUp.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
  });

  it('is too late, and nothing else, when the caller’s own deadline passes', async () => {
    const port = await serve(() => {});
    const error = await failure(`postgres://app:hunter2@127.0.0.1:${port}/d`, {
      connectTimeoutMs: 60_000,
      signal: AbortSignal.timeout(50),
    });
    expect([error.code, error.facts['cause']]).toEqual(['XC-6001', 'ETIMEDOUT']);
  });

  it.each([
    ['28P01', 'XC-4001'],
    ['28000', 'XC-4001'],
    ['42501', 'XC-4002'],
    ['3D000', 'XC-1011'],
    ['53300', 'XC-6010'],
    ['57P03', 'XC-6011'],
  ])('maps the server’s refusal %s to %s, and takes the password out of its message', async (state, code) => {
    const port = await serve((socket) =>
      socket.on('data', (bytes: Buffer) => {
        // SSLRequest (80877103) is answered with no; the startup packet with an error.
        if (bytes.readInt32BE(4) === 80_877_103) socket.write('N');
        else socket.write(errorResponse(state, 'user "app" with hunter2 refused'));
      }),
    );
    const error = await failure(`postgres://app:hunter2@127.0.0.1:${port}/d`);
    expect(error.code).toBe(code);
    expect(error.why).toContain('with *** refused');
  });
});

/** PostgreSQL documentation, 54.7: "E", length, fields, zero. */
const errorResponse = (state: string, message: string): Buffer => {
  const body = Buffer.from(`SFATAL\0VFATAL\0C${state}\0M${message}\0\0`);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length + 4);
  return Buffer.concat([Buffer.from('E'), length, body]);
};
