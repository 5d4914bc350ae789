/**
 * The entries of the log as lines of files, 4096 a file: what is durable here is in the log, and everything else can be
 * made again from it. One append is one write and one fdatasync. Files are extended ahead of use with zeros, so that
 * making a line durable writes no file size. Decision 0029 says what a crash leaves.
 */

import { closeSync, fdatasyncSync, mkdirSync, openSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { dataSync, syncDirectory, writeWhole } from './durable-write.ts';

export const ENTRIES_PER_FILE = 4096;
/** A step by which a file grows ahead of its lines: some hundred entries; more would make the growing itself be felt. */
const AHEAD_BYTES = 2 ** 18;
const NEWLINE = 10;
/** A disk that answers sooner than this is waited for at once: handing the wait to another thread takes as long. */
const SHORT_SYNC_MS = 0.25;
/** Lines whose hashing is too little work to be done while another thread waits for the disk. */
const FEW_LINES = 4;

export interface EntryLine {
  readonly number: number;
  readonly bytes: Buffer;
}

interface OpenFile {
  readonly handle: number;
  readonly first: number;
  end: number;
  room: number;
  /** Its name is not durable yet. */
  fresh: boolean;
}

export class EntryFiles {
  readonly #directory: string;
  /** The file that is written now. */
  #file: OpenFile | null = null;
  #lastSyncMs = Infinity;

  constructor(directory: string) {
    this.#directory = directory;
  }

  path(first: number): string {
    return join(this.#directory, `${String(first).padStart(12, '0')}.ndjson`);
  }

  /** Entries from this number on, as far as they are whole. */
  async *read(from: number): AsyncGenerator<EntryLine> {
    for (let first = fileOf(from); ; first += ENTRIES_PER_FILE) {
      const { lines } = await this.#lines(first, ENTRIES_PER_FILE);
      for (const [at, bytes] of lines.entries()) if (first + at >= from) yield { number: first + at, bytes };
      if (lines.length < ENTRIES_PER_FILE) return;
    }
  }

  /**
   * Appends lines from this number on and makes them durable. Only under the log's lock.
   * @param meanwhile is called once, while the disk works
   */
  async append(number: number, lines: readonly Buffer[], meanwhile: () => void): Promise<void> {
    let work: (() => void) | null = meanwhile;
    for (let at = 0; at < lines.length;) {
      const first = fileOf(number + at);
      if (this.#file?.first !== first) await this.#openAt(number + at);
      const count = Math.min(lines.length - at, first + ENTRIES_PER_FILE - (number + at));
      await this.#write(count === lines.length ? lines : lines.slice(at, at + count), work);
      work = null;
      at += count;
    }
  }

  /** Makes the entries [from, to) durable, whoever wrote them: a process that was killed may not have come to it. */
  async sync(from: number, to: number): Promise<void> {
    for (let first = fileOf(from); first < to; first += ENTRIES_PER_FILE) {
      await using file = await open(this.path(first), 'r+');
      await file.datasync();
    }
    if (to > from) await syncDirectory(this.#directory);
  }

  /** Forgets the file that is written: another process may go on in it. */
  close(): void {
    if (this.#file) closeSync(this.#file.handle);
    this.#file = null;
  }

  async #write(lines: readonly Buffer[], meanwhile: (() => void) | null): Promise<void> {
    const file = this.#file!;
    const bytes = joined(lines);
    try {
      if (file.end + bytes.length > file.room) this.#grow(file, bytes.length);
      // Into the page cache: the wait is for the disk alone.
      writeWhole(file.handle, bytes, file.end);
      await this.#sync(file, lines.length, meanwhile);
    } catch (error) {
      takeBack(file, bytes.length);
      throw error;
    }
    file.end += bytes.length;
  }

  async #sync(file: OpenFile, lines: number, meanwhile: (() => void) | null): Promise<void> {
    const begunMs = performance.now();
    if (lines <= FEW_LINES && this.#lastSyncMs < SHORT_SYNC_MS && !file.fresh) {
      fdatasyncSync(file.handle);
      this.#lastSyncMs = performance.now() - begunMs;
      meanwhile?.();
      return;
    }
    const waits = [dataSync(file.handle)];
    if (file.fresh) waits.push(syncDirectory(this.#directory));
    meanwhile?.();
    for (const one of await Promise.allSettled(waits)) if (one.status === 'rejected') throw one.reason;
    file.fresh = false;
    this.#lastSyncMs = performance.now() - begunMs;
  }

  #grow(file: OpenFile, needed: number): void {
    const zeros = Buffer.alloc(Math.max(AHEAD_BYTES, needed));
    writeWhole(file.handle, zeros, file.room);
    file.room += zeros.length;
  }

  /** Opens the file that the entry of this number goes into, behind the one before it. */
  async #openAt(number: number): Promise<void> {
    this.close();
    const first = fileOf(number);
    if (number === 0) await this.#makeDirectory();
    const path = this.path(first);
    const { bytes, lines, end } = await this.#lines(first, number - first);
    if (lines.length < number - first)
      throw new XcError('XC-5603', {
        subject: path,
        why: `entry ${number} comes next, and the file ends with entry ${first + lines.length - 1}`,
      });
    const handle = openSync(path, bytes === null ? 'wx+' : 'r+', 0o600);
    // Made by a process that was killed before its name was durable: an empty file may still be that.
    this.#file = { handle, first, end, room: end, fresh: end === 0 };
    const rest = bytes?.subarray(end) ?? Buffer.alloc(0);
    if (rest.some((byte) => byte !== 0)) await this.#setAside(path, handle, rest, end);
    this.#file.room = end + rest.length;
  }

  /** The directory and those above it that are new, with their names durable. */
  async #makeDirectory(): Promise<void> {
    let made = mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    // Perhaps made by a process that was killed before that.
    made ??= dirname(this.#directory);
    for (let at = this.#directory; at.length >= made.length; at = dirname(at))
      await syncDirectory(dirname(at));
  }

  /**
   * What a crash left half-written, or out of order, was never acknowledged, so it is no entry. It is kept beside the
   * file, for whoever wants to look at it, and overwritten with zeros, so that it is never read behind the next line.
   */
  async #setAside(path: string, handle: number, rest: Buffer, end: number): Promise<void> {
    await writeFile(`${path}.torn-at-${end}`, rest, { mode: 0o600 });
    writeWhole(handle, Buffer.alloc(rest.length), end);
    await dataSync(handle);
  }

  async #lines(first: number, most: number): Promise<{ bytes: Buffer | null; lines: Buffer[]; end: number }> {
    const bytes = await readFile(this.path(first)).catch((error: unknown) => {
      if (isErrno(error) && error.code === 'ENOENT') return null;
      throw error;
    });
    const lines: Buffer[] = [];
    let end = 0;
    if (bytes === null) return { bytes, lines, end };
    while (end < bytes.length && bytes[end] !== 0 && lines.length < most) {
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

const fileOf = (number: number): number => number - (number % ENTRIES_PER_FILE);

const joined = (lines: readonly Buffer[]): Buffer => {
  let length = lines.length;
  for (const line of lines) length += line.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const line of lines) {
    bytes.set(line, at);
    at += line.length;
    bytes[at++] = NEWLINE;
  }
  return bytes;
};

/**
 * Whoever appended these lines is told that they are not in the log, so they must not be read as if they were. Best
 * effort: on a disk that takes no zeros either they stay, unacknowledged.
 */
const takeBack = ({ handle, end }: OpenFile, length: number): void => {
  try {
    writeWhole(handle, Buffer.alloc(length), end);
  } catch {
    // The error that brought us here is the one to tell.
  }
};
