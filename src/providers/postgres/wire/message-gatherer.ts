/**
 * Puts the pieces that the network gives together to whole messages. A message is a byte that says what it is, and an
 * int32 length that counts itself (PostgreSQL documentation, 54.7).
 */

import { XcError } from '../../../core/errors/xc-error.ts';

const HEADER_BYTES = 5;
/** PQ_LARGE_MESSAGE_LIMIT (libpq/protocol.h): no allocation of the server is larger. */
const MAX_MESSAGE_BYTES = 0x3fff_ffff;

/**
 * Where the message at `at` ends; past the bytes where it is not all there.
 * @throws XcError XC-5201 for a length that no message has: waiting for it would take memory without end
 */
export const messageEnd = (bytes: Buffer, at: number): number => {
  if (at + HEADER_BYTES > bytes.length) return at + HEADER_BYTES;
  const length = bytes.readUInt32BE(at + 1);
  if (length < HEADER_BYTES - 1 || length > MAX_MESSAGE_BYTES)
    throw new XcError('XC-5201', { subject: `a message of ${length} bytes` });
  return at + 1 + length;
};

/** A large value comes in thousands of pieces: they are joined once, when the last is there. */
export class MessageGatherer {
  #parts: Buffer[] = [];
  #gathered = 0;
  #needed = 0;

  /** What can be read now, beginning with a message; null while the first one is not complete. */
  add(chunk: Buffer): Buffer | null {
    if (this.#parts.length === 0) return chunk;
    this.#parts.push(chunk);
    this.#gathered += chunk.length;
    if (this.#gathered < this.#needed) return null;
    const bytes = Buffer.concat(this.#parts, this.#gathered);
    this.#parts = [];
    return bytes;
  }

  /** Keeps what begins at `at`, a message that is not complete, for the next chunk. */
  keep(bytes: Buffer, at: number): void {
    if (at === bytes.length) return;
    this.#parts = [at === 0 ? bytes : bytes.subarray(at)];
    this.#gathered = bytes.length - at;
    this.#needed = messageEnd(bytes, at) - at;
  }
}
