/**
 * The text of a one-dimensional array of texts as array_out writes it (PostgreSQL documentation, 8.15.6), over bytes.
 * Rows that are redacted in the runner become the same text here as rows of the target become in SQL.
 */

import { Buffer } from 'node:buffer';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const NULL_TEXT = Buffer.from('NULL');

/** Appends to memory that grows and is used again for the next row. */
export class ArrayText {
  #bytes: Buffer = Buffer.alloc(4096);
  #length = 0;
  #prefix = 0;

  /** @param prefix bytes before every array */
  constructor(prefix = '') {
    this.#prefix = this.#bytes.write(prefix, 'latin1');
  }

  begin(): void {
    this.#length = this.#prefix;
    this.#reserve(1);
    this.#bytes[this.#length++] = OPEN;
    this.#first = true;
  }
  #first = true;

  null(): void {
    this.#comma();
    this.#reserve(4);
    this.#length += NULL_TEXT.copy(this.#bytes, this.#length);
  }

  /** Element [start, end) of `source`. */
  element(source: Buffer, start: number, end: number): void {
    this.#comma();
    this.#reserve(2 * (end - start) + 2);
    if (!needsQuotes(source, start, end)) {
      this.#length += source.copy(this.#bytes, this.#length, start, end);
      return;
    }
    const bytes = this.#bytes;
    let at = this.#length;
    bytes[at++] = QUOTE;
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      if (byte === QUOTE || byte === BACKSLASH) bytes[at++] = BACKSLASH;
      bytes[at++] = byte;
    }
    bytes[at++] = QUOTE;
    this.#length = at;
  }

  /** Prefix and array; valid until the next begin(). */
  end(): Buffer {
    this.#reserve(1);
    this.#bytes[this.#length++] = CLOSE;
    return this.#bytes.subarray(0, this.#length);
  }

  #comma(): void {
    if (this.#first) {
      this.#first = false;
      return;
    }
    this.#reserve(1);
    this.#bytes[this.#length++] = COMMA;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.alloc(2 * (this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** arrayfuncs.c, array_out: empty, the word null, and anything that array_in would read otherwise. */
const needsQuotes = (source: Buffer, start: number, end: number): boolean => {
  if (start === end) return true;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    const isSpace = byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
    if (isSpace || byte === QUOTE || byte === BACKSLASH || byte === COMMA || byte === OPEN || byte === CLOSE)
      return true;
  }
  return end - start === 4 && source.toString('latin1', start, end).toUpperCase() === 'NULL';
};
