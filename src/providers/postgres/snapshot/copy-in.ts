/** One COPY FROM of bytes that are pulled: what the server does not take yet is not asked for. */

import { XcError } from '../../../core/errors/xc-error.ts';
import type { WireConnection } from '../wire/connection.ts';
import { serverError } from '../wire/server-error.ts';

/**
 * The rows stand in the connection's open transaction.
 * @returns rows that the server took
 * @throws what the body throws, ServerError, the connection's failure; then the connection must be closed
 */
export const copyIn = async (
  connection: WireConnection,
  sql: string,
  body: AsyncIterable<Uint8Array>,
): Promise<number> => {
  const ready = Promise.withResolvers<void>();
  const done = Promise.withResolvers<number>();
  let rows = 0;
  let failure: { readonly error: unknown } | null = null;
  const fail = (error: unknown): void => {
    failure ??= { error };
    ready.reject(error);
    done.reject(error);
  };
  ready.promise.catch(() => {});
  done.promise.catch(() => {});
  connection.read({
    message(type, bytes, start, end) {
      switch (type) {
        case 0x47: // CopyInResponse
          ready.resolve();
          break;
        case 0x43: // CommandComplete: "COPY n"
          rows = Number(bytes.toString('latin1', start + 5, end - 1));
          break;
        case 0x45:
          fail(serverError(bytes, start, end));
          break;
        case 0x5a: // ReadyForQuery
          connection.read(null);
          done.resolve(rows);
          break;
        default:
          fail(new XcError('XC-5201', { subject: `message type ${type} in a COPY` }));
      }
    },
    closed: fail,
  });
  connection.send(queryMessage(sql));
  await ready.promise;
  for await (const piece of body) {
    if (failure) throw (failure as { readonly error: unknown }).error;
    const head = Buffer.from([0x64, 0, 0, 0, 0]);
    head.writeUInt32BE(piece.length + 4, 1);
    connection.send(head);
    await connection.write(piece);
  }
  connection.send(COPY_DONE);
  return await done.promise;
};

const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

const queryMessage = (sql: string): Buffer => {
  const body = Buffer.from(`${sql}\0`, 'utf8');
  const head = Buffer.from([0x51, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};
