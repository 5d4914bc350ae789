/**
 * One COPY TO as bytes that are pulled: what the server sends is taken off the socket, redacted and put into the part's
 * format at once, and the socket is left unread while nobody pulls.
 */

import type { RowTransform } from '../source/copy-relay.ts';
import type { WireConnection } from '../wire/connection.ts';
import { serverError } from '../wire/server-error.ts';

/** What may wait here: some reads' worth. */
const QUEUED_BYTES = 1024 * 1024;

/**
 * @throws ServerError, or the connection's failure; after that, and when it is left early, the connection is in the
 * middle of an answer and must be closed
 */
export async function* copyOut(
  connection: WireConnection,
  sql: string,
  transform: RowTransform,
): AsyncGenerator<Uint8Array> {
  const queue: Uint8Array[] = [];
  let queued = 0;
  let ended = false;
  let failure: { readonly error: unknown } | null = null;
  let wake = Promise.withResolvers<void>();
  const gather = (): void => {
    const payload = transform.take();
    if (!payload) return;
    queue.push(payload);
    queued += payload.length;
    if (queued > QUEUED_BYTES) connection.pause();
  };
  const fail = (error: unknown): void => {
    failure ??= { error };
    wake.resolve();
  };
  connection.read({
    message(type, bytes, start, end) {
      switch (type) {
        case 0x64: // CopyData
          transform.row(bytes, start, end);
          break;
        case 0x45:
          fail(serverError(bytes, start, end));
          break;
        case 0x5a: // ReadyForQuery
          gather();
          connection.read(null);
          ended = true;
          wake.resolve();
          break;
        default: // CopyOutResponse, CopyDone, CommandComplete
      }
    },
    flush() {
      gather();
      wake.resolve();
    },
    closed: fail,
  });
  connection.send(queryMessage(sql));
  for (;;) {
    const piece = queue.shift();
    if (piece) {
      queued -= piece.length;
      if (queued <= QUEUED_BYTES / 2) connection.resume();
      yield piece;
      continue;
    }
    if (failure) throw (failure as { readonly error: unknown }).error;
    if (ended) return;
    wake = Promise.withResolvers<void>();
    await wake.promise;
  }
}

const queryMessage = (sql: string): Buffer => {
  const body = Buffer.from(`${sql}\0`, 'utf8');
  const head = Buffer.from([0x51, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
