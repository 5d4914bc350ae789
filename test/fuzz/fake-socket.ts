/** A connection of ours on a socket that leads nowhere: a test gives it the bytes of a server. */

import { Duplex } from 'node:stream';
import type { Client } from 'pg';
import { WireConnection } from '../../src/providers/postgres/wire/connection.ts';

export interface FakeConnection {
  readonly connection: WireConnection;
  /** A piece of what the server sends, as the network might cut it. */
  receive(chunk: Buffer): void;
  /** The server, or the network, closes. */
  close(): void;
}

export const fakeConnection = (): FakeConnection => {
  const socket = new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => done(),
  });
  const opened = { stream: socket, removeAllListeners() {} };
  const client = { connection: opened, processID: 1, removeAllListeners() {} } as unknown as Client;
  return {
    connection: WireConnection.take(client),
    // Given as the event, so that a reader's mistake is thrown here, where it would end the program.
    receive: (chunk) => void (socket.destroyed || socket.emit('data', chunk)),
    close: () => void socket.destroy(),
  };
};
