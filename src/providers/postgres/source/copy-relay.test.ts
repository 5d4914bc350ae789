import { expect, test } from 'vitest';
import type { MessageReader, WireConnection } from '../wire/connection.ts';
import { relayCopy } from './copy-relay.ts';

const COPY_IN_RESPONSE = 0x47;

const COPY_DATA = 0x64;

interface Fake {
  readonly connection: WireConnection;
  reader: MessageReader | null;
  sent: number;
}

/** A connection that is ready for rows as soon as it is asked. */
const ready = (): Fake => {
  const fake: Fake = {
    reader: null,
    sent: 0,
    connection: {
      read: (next: MessageReader | null) => (fake.reader = next),
      send() {
        fake.sent++;
        fake.reader?.message(COPY_IN_RESPONSE, Buffer.alloc(0), 0, 0);
      },
      trySend: () => fake.sent++ >= 0,
      resume() {},
    } as unknown as WireConnection,
  };
  return fake;
};

/** A connection that is gone, as `WireConnection` behaves then. */
const gone = (failure: Error): WireConnection => {
  const fake = {
    read: (reader: MessageReader | null) => reader?.closed(failure),
    send() {
      throw failure;
    },
    resume() {},
  };
  return fake as unknown as WireConnection;
};

const sql = { source: 'COPY t TO STDOUT', target: 'COPY t FROM STDIN' };

// A promise that is rejected and that nobody waits for would end the whole program; Vitest fails on it, too.
test('a source that is gone, and a copy that others have given up, are one error', async () => {
  const lost = new Error('connection lost');
  const stop = new AbortController();
  stop.abort(new Error('another chunk failed'));
  await expect(relayCopy(gone(lost), ready().connection, sql, null, stop.signal)).rejects.toBe(lost);
  await new Promise((resolve) => setImmediate(resolve));
});

test('what the source still sends after the copy was given up goes nowhere', async () => {
  const [source, target] = [ready(), ready()];
  const stop = new AbortController();
  const relayed = relayCopy(source.connection, target.connection, sql, null, stop.signal);
  const failed = relayed.catch((error: unknown) => error);
  await new Promise((resolve) => setImmediate(resolve));
  const row = (): void => {
    source.reader?.message(COPY_DATA, Buffer.alloc(20), 5, 20);
    source.reader?.flush?.(20);
  };
  const before = target.sent;
  row();
  expect(target.sent).toBe(before + 1);
  const reason = new Error('given up');
  stop.abort(reason);
  expect(await failed).toBe(reason);
  row();
  expect(target.sent).toBe(before + 1);
});
