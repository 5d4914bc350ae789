/** Bytes of a batch, one after another: a change holds offsets into it, so that no row is an object. */

import { XcError } from '../errors/xc-error.ts';

const INITIAL_BYTES = 256 * 1024;
/** A single value is at most 1 GiB in PostgreSQL; a batch is cut long before, so past this something is wrong. */
const MAXIMUM_BYTES = 1.5 * 2 ** 30;

/** Bytes up to which a loop is cheaper than a view of them and a call. */
const SHORT = 32;

export class Arena {
  bytes: Buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  length = 0;

  /** Makes room for `more` bytes; `bytes` may be another buffer afterwards. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    if (needed > MAXIMUM_BYTES) throw new XcError('XC-5203', { subject: `${needed} bytes` });
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** Forgets the contents and keeps the memory, unless one large batch made it large. */
  clear(): void {
    this.length = 0;
    if (this.bytes.length > 32 * 2 ** 20) this.bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  int16(value: number): void {
    this.reserve(2);
    this.bytes[this.length] = value >>> 8;
    this.bytes[this.length + 1] = value;
    this.length += 2;
  }

  int32(value: number): void {
    this.reserve(4);
    const { bytes, length } = this;
    bytes[length] = value >>> 24;
    bytes[length + 1] = value >>> 16;
    bytes[length + 2] = value >>> 8;
    bytes[length + 3] = value;
    this.length = length + 4;
  }

  /** Copies source[start, end). Short runs by hand: a call into native code costs more than they do. */
  copy(source: Uint8Array, start: number, end: number): void {
    const count = end - start;
    this.reserve(count);
    const { bytes, length } = this;
    if (count <= SHORT) for (let i = 0; i < count; i++) bytes[length + i] = source[start + i] ?? 0;
    else bytes.set(source.subarray(start, end), length);
    this.length = length + count;
  }
}
