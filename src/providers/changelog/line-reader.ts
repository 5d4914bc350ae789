/** Lines of a log file from some place on, each checked against the chain before anybody sees it. */

import type { FileHandle } from 'node:fs/promises';
import { verifiedDigest } from '../../core/changelog/chain.ts';

/** A place between two lines. */
export interface Cursor {
  readonly file: number;
  /** Of the next line's first byte. */
  readonly offset: number;
  /** Number of the next line, from 1. */
  readonly line: number;
  /** Digest of the line before. */
  readonly digest: string;
}

export interface Line {
  readonly text: string;
  readonly bytes: number;
}

const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

export class LineReader {
  readonly #file: FileHandle;
  #cursor: Cursor;
  #bytes: Buffer = Buffer.alloc(0);
  /** Start of the next line in `#bytes`. */
  #at = 0;
  /** Bytes behind `#at` that have no newline. */
  #searched = 0;

  constructor(file: FileHandle, cursor: Cursor) {
    this.#file = file;
    this.#cursor = cursor;
  }

  get cursor(): Cursor {
    return this.#cursor;
  }

  /** Bytes of a line whose end is not there. */
  get torn(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next whole line that was read; null where more has to be read first, "altered" where the chain breaks. */
  next(): Line | null | 'altered' {
    const end = this.#bytes.indexOf(NEWLINE, this.#at + this.#searched);
    if (end < 0) {
      this.#searched = this.#bytes.length - this.#at;
      return null;
    }
    const text = this.#bytes.toString('utf8', this.#at, end);
    const digest = verifiedDigest(this.#cursor.digest, text);
    if (digest === null) return 'altered';
    const bytes = end + 1 - this.#at;
    const { file, offset, line } = this.#cursor;
    this.#cursor = { file, offset: offset + bytes, line: line + 1, digest };
    this.#at = end + 1;
    this.#searched = 0;
    return { text, bytes };
  }

  /** A line whose end was not there is read again: who writes the file may have cut it off meanwhile. */
  forgetTorn(): void {
    this.#bytes = this.#bytes.subarray(0, this.#at);
    this.#searched = 0;
  }

  /** Reads on. @returns false at the end of the file */
  async more(): Promise<boolean> {
    const rest = this.#bytes.subarray(this.#at);
    // A line longer than a chunk is read in ever larger pieces, so that it is not joined again for each.
    const chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, rest.length));
    const position = this.#cursor.offset + rest.length;
    const { bytesRead } = await this.#file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return false;
    this.#bytes =
      rest.length === 0 ? chunk.subarray(0, bytesRead) : Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
    this.#at = 0;
    return true;
  }
}
