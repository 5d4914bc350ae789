/**
 * The entries of the log as lines of files, 4096 a file: what is durable here is in the log, and everything else can be
 * made again from it. Files are extended ahead of use with zeros, so that making a line durable writes no file size.
 */

import { closeSync, fdatasync, openSync, writeSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isErrno } from '../../core/errors/errno.ts';

export const ENTRIES_PER_FILE = 4096;
/** A step by which a file grows ahead of its lines. */
const AHEAD_BYTES = 2 ** 20;
const NEWLINE = 10;

const dataSync = promisify(fdatasync);

export interface EntryLine {
  readonly number: number;
  readonly bytes: Buffer;
}

export class EntryFiles {
  readonly #directory: string;
  /** The file that is written now. */
  #file: { readonly handle: number; readonly first: number; end: number; room: number } | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  path(first: number): string {
    return join(this.#directory, `${String(first).padStart(12, '0')}.ndjson`);
  }

  /** Entries from this number on, as far as they are whole. */
  async *read(from: number): AsyncGenerator<EntryLine> {
    for (let first = from - (from % ENTRIES_PER_FILE); ; first += ENTRIES_PER_FILE) {
      const { lines } = await this.#lines(first);
      for (const [at, bytes] of lines.entries()) if (first + at >= from) yield { number: first + at, bytes };
      if (lines.length < ENTRIES_PER_FILE) return;
    }
  }

  /** Appends lines from this number on and makes them durable. Only under the log's lock. */
  async append(number: number, lines: readonly Buffer[]): Promise<void> {
    let at = 0;
    while (at < lines.length) {
      const first = number + at - ((number + at) % ENTRIES_PER_FILE);
      if (this.#file?.first !== first) await this.#openAt(first);
      const count = Math.min(lines.length - at, first + ENTRIES_PER_FILE - (number + at));
      await this.#write(lines.slice(at, at + count));
      at += count;
    }
  }

  /** Forgets the file that is written: another process may go on in it. */
  close(): void {
    if (this.#file) closeSync(this.#file.handle);
    this.#file = null;
  }

  async #write(lines: readonly Buffer[]): Promise<void> {
    const file = this.#file!;
    const bytes = Buffer.concat(lines.flatMap((line) => [line, LINE_END]));
    if (file.end + bytes.length > file.room) this.#grow(file, bytes.length);
    // Into the page cache: the wait is for the disk alone, and that does not hold up the event loop.
    writeSync(file.handle, bytes, 0, bytes.length, file.end);
    await dataSync(file.handle);
    file.end += bytes.length;
  }

  #grow(file: { readonly handle: number; end: number; room: number }, needed: number): void {
    const zeros = Buffer.alloc(Math.max(AHEAD_BYTES, needed));
    writeSync(file.handle, zeros, 0, zeros.length, file.room);
    file.room += zeros.length;
  }

  async #openAt(first: number): Promise<void> {
    this.close();
    const { bytes, end } = await this.#lines(first);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const path = this.path(first);
    if (bytes === null) {
      await using created = await open(path, 'wx', 0o600);
      await created.sync();
      await using directory = await open(this.#directory, 'r');
      await directory.sync();
    }
    const handle = openSync(path, 'r+');
    this.#file = { handle, first, end, room: end };
    const rest = bytes?.subarray(end) ?? Buffer.alloc(0);
    if (rest.some((byte) => byte !== 0)) await this.#setAside(path, handle, rest, end);
    this.#file.room = end + rest.length;
  }

  /**
   * What a crash left half-written was never acknowledged, so it is no entry. It is kept beside the file, for whoever
   * wants to look at it, and overwritten with zeros, so that it is never read behind the next line.
   */
  async #setAside(path: string, handle: number, rest: Buffer, end: number): Promise<void> {
    await writeFile(`${path}.torn-at-${end}`, rest, { mode: 0o600 });
    writeSync(handle, Buffer.alloc(rest.length), 0, rest.length, end);
    await dataSync(handle);
  }

  async #lines(first: number): Promise<{ bytes: Buffer | null; lines: Buffer[]; end: number }> {
    const path = this.path(first);
    const bytes = await readFile(path).catch((error: unknown) => {
      if (isErrno(error) && error.code === 'ENOENT') return null;
      throw error;
    });
    const lines: Buffer[] = [];
    let end = 0;
    if (bytes === null) return { bytes, lines, end };
    while (end < bytes.length && bytes[end] !== 0 && lines.length < ENTRIES_PER_FILE) {
      const newline = bytes.indexOf(NEWLINE, end);
      if (newline < 0) break;
      const line = bytes.subarray(end, newline);
      if (line.includes(0)) break;
      lines.push(line);
      end = newline + 1;
    }
    return { bytes, lines, end };
  }
}

const LINE_END = Buffer.of(NEWLINE);
