import { expect, test } from 'vitest';
import type { MessageReader, WireConnection } from '../wire/connection.ts';
import { relayCopy } from './copy-relay.ts';

const COPY_IN_RESPONSE = 0x47;

/** A connection that is ready for rows as soon as it is asked. */
const ready = (): WireConnection => {
  let reader: MessageReader | null = null;
  const fake = {
    read: (next: MessageReader | null) => (reader = next),
    send: () => reader?.message(COPY_IN_RESPONSE, Buffer.alloc(0), 0, 0),
    resume() {},
  };
  return fake as unknown as WireConnection;
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

// A promise that is rejected and that nobody waits for would end the whole program; Vitest fails on it, too.
test('a source that is gone, and a copy that others have given up, are one error', async () => {
  const lost = new Error('connection lost');
  const stop = new AbortController();
  stop.abort(new Error('another chunk failed'));
  const sql = { source: 'COPY t TO STDOUT', target: 'COPY t FROM STDIN' };
  await expect(relayCopy(gone(lost), ready(), sql, null, stop.signal)).rejects.toBe(lost);
  await new Promise((resolve) => setImmediate(resolve));
});
