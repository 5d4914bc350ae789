/** Reads rows of COPY in binary format as they arrive (PostgreSQL documentation, COPY, "Binary Format"). */

import { Buffer } from 'node:buffer';
import { XcError } from '../../../core/errors/xc-error.ts';

/** Signature, flags and the length of the header's extension. */
const HEADER_BYTES = 11 + 4 + 4;
const TRAILER = -1;

/**
 * Fields of one row: field i is bytes[starts[i], ends[i]), or NULL where ends[i] is -1. The arrays and the bytes are
 * used again for the next row.
 */
export interface CopyRow {
  readonly bytes: Buffer;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** @throws XcError XC-6001 when the stream ends before its trailer, XC-5201 when it is no COPY in binary format */
export const readCopyRows = async (
  stream: AsyncIterable<Uint8Array>,
  onRow: (row: CopyRow) => void,
): Promise<void> => {
  let rest: Buffer = Buffer.alloc(0);
  let inHeader = true;
  let isDone = false;
  const starts: number[] = [];
  const ends: number[] = [];
  for await (const part of stream) {
    const bytes = rest.length === 0 ? asBuffer(part) : Buffer.concat([rest, part]);
    let at = 0;
    if (inHeader) {
      at = headerEnd(bytes);
      if (at > bytes.length) {
        rest = bytes;
        continue;
      }
      inHeader = false;
    }
    for (;;) {
      const end = isDone ? -1 : rowEnd(bytes, at, starts, ends);
      if (end === -1) break;
      if (end === at + 2 && bytes.readInt16BE(at) === TRAILER) isDone = true;
      else onRow({ bytes, starts, ends });
      at = end;
    }
    rest = bytes.subarray(at);
  }
  if (!isDone) throw new XcError('XC-6001', { why: 'the copy ended in the middle' });
};

const asBuffer = (part: Uint8Array): Buffer => Buffer.from(part.buffer, part.byteOffset, part.byteLength);

const headerEnd = (bytes: Buffer): number =>
  bytes.length < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + bytes.readInt32BE(HEADER_BYTES - 4);

/** Offset behind the row or trailer at `at`, or -1 when it is not all there. */
const rowEnd = (bytes: Buffer, at: number, starts: number[], ends: number[]): number => {
  if (at + 2 > bytes.length) return -1;
  const count = bytes.readInt16BE(at);
  if (count < TRAILER) throw new XcError('XC-5201', { subject: `a copied row of ${count} fields` });
  let next = at + 2;
  for (let field = 0; field < count; field++) {
    if (next + 4 > bytes.length) return -1;
    const length = bytes.readInt32BE(next);
    if (length < -1) throw new XcError('XC-5201', { subject: `a copied field of ${length} bytes` });
    next += 4;
    starts[field] = next;
    ends[field] = length === -1 ? -1 : next + length;
    next += Math.max(0, length);
  }
  return next > bytes.length ? -1 : next;
};
