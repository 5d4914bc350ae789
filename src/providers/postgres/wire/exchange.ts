/**
 * One pipelined exchange: messages go out in one write, and the answers are gathered until the server is ready for the
 * next. After an error the server skips to the Sync, so what follows a failed statement never runs.
 */

import { XcError } from '../../../core/errors/xc-error.ts';
import { serverError, type ServerError } from './server-error.ts';
import type { WireConnection } from './connection.ts';

export interface Answer {
  /** Command tags in order of completion: "UPDATE 3", "COPY 10", "COMMIT". */
  readonly tags: readonly string[];
  /** Text rows of every SELECT, in order. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** The first error, or null. */
  readonly error: ServerError | null;
  /** Transaction status after the last Sync: idle, in a transaction, or in a failed one. */
  readonly status: 'I' | 'T' | 'E';
}

/**
 * Sends what was written and waits for as many ReadyForQuery as there are Syncs or simple queries in it.
 * @throws the connection's failure; a server's error is in the answer
 */
export const exchange = async (
  connection: WireConnection,
  bytes: Uint8Array,
  readies = 1,
): Promise<Answer> => {
  const tags: string[] = [];
  const rows: (string | null)[][] = [];
  let error: ServerError | null = null;
  let awaited = readies;
  return await new Promise<Answer>((resolve, reject) => {
    connection.read({
      message(type, buffer, start, end) {
        switch (type) {
          case 0x43: // CommandComplete
            tags.push(buffer.toString('latin1', start, end - 1));
            break;
          case 0x44: // DataRow
            rows.push(textRow(buffer, start, end));
            break;
          case 0x45: // ErrorResponse
            error ??= serverError(buffer, start, end);
            break;
          case 0x5a: {
            // ReadyForQuery
            if (--awaited > 0) break;
            const status = statusOf(buffer[start]);
            connection.read(null);
            resolve({ tags, rows, error, status });
            break;
          }
          default:
            if (!SAYS_NOTHING.has(type)) throw unexpected(`message type ${type}`);
        }
      },
      closed: reject,
    });
    connection.write(bytes).catch(reject);
  });
};

/** CopyInResponse, ParseComplete, BindComplete, CloseComplete, NoData, RowDescription, ParameterDescription, EmptyQuery. */
const SAYS_NOTHING = new Set([0x47, 0x31, 0x32, 0x33, 0x6e, 0x54, 0x74, 0x49]);

const unexpected = (what: string): XcError => new XcError('XC-5201', { subject: what });

const statusOf = (byte: number | undefined): Answer['status'] => {
  const status = String.fromCharCode(byte ?? 0);
  if (status === 'I' || status === 'T' || status === 'E') return status;
  throw unexpected(`transaction status ${byte}`);
};

/** A DataRow in text format: int16 count, then int32 length (−1 is NULL) and bytes of each column. */
const textRow = (buffer: Buffer, start: number, end: number): (string | null)[] => {
  const row: (string | null)[] = [];
  let at = start + 2;
  for (let left = buffer.readInt16BE(start); left > 0; left--) {
    if (at + 4 > end) throw unexpected('a row past its message');
    const length = buffer.readInt32BE(at);
    at += 4;
    if (length < -1 || at + Math.max(0, length) > end) throw unexpected(`a value of ${length} bytes`);
    row.push(length < 0 ? null : buffer.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  if (at !== end) throw unexpected('a row with trailing bytes');
  return row;
};

/** Runs one statement without parameters. @throws ServerError */
export const simpleQuery = async (connection: WireConnection, sql: string): Promise<Answer> => {
  const body = Buffer.from(sql, 'utf8');
  const bytes = Buffer.allocUnsafe(body.length + 6);
  bytes[0] = 0x51;
  bytes.writeUInt32BE(body.length + 5, 1);
  body.copy(bytes, 5);
  bytes[bytes.length - 1] = 0;
  const answer = await exchange(connection, bytes);
  if (answer.error) throw answer.error;
  return answer;
};
