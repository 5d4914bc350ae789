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

/**
 * Keeps the message that the end of a chunk cuts. Only that message is copied, not the chunk that its rest comes with;
 * and a large value, which comes in thousands of pieces, is joined once, when the last is there.
 */
export class MessageGatherer {
  #parts: Buffer[] = [];
  #gathered = 0;
  #needed = 0;
  /** Where, in the chunk given last, what follows the joined message begins. */
  rest = 0;

  /** The message that was cut, once the chunk completes it; null while it does not, or where none was cut. */
  join(chunk: Buffer): Buffer | null {
    this.rest = 0;
    while (this.#gathered < this.#needed) {
      const piece = chunk.subarray(this.rest, this.rest + this.#needed - this.#gathered);
      this.#parts.push(piece);
      this.#gathered += piece.length;
      this.rest += piece.length;
      if (this.#gathered < this.#needed) return null;
      // Where the header itself was cut, only now it says how long the message is.
      if (this.#needed === HEADER_BYTES) this.#needed = messageEnd(Buffer.concat(this.#parts), 0);
    }
    if (this.#needed === 0) return null;
    const message = Buffer.concat(this.#parts, this.#needed);
    this.#parts = [];
    this.#gathered = this.#needed = 0;
    return message;
  }

  /** Keeps what begins at `at`, a message that is not complete, for the next chunk. */
  keep(bytes: Buffer, at: number): void {
    if (at === bytes.length) return;
    this.#parts = [bytes.subarray(at)];
    this.#gathered = bytes.length - at;
    this.#needed = messageEnd(bytes, at) - at;
  }
}
