/**
 * Writes a log's files: lines are only ever appended, and a transaction's reach the disk before anybody is told of them.
 * A file that is full ends with a seal, and the next begins with what a reader needs who knows nothing of the earlier
 * ones.
 */

import { createHash } from 'node:crypto';
import { constants, open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { formatLsn, parseLsn, type Lsn } from '../../core/change/lsn.ts';
import { CHAIN_START, chained } from '../../core/changelog/chain.ts';
import type { TableDraft } from '../../core/changelog/logged-table.ts';
import type { LogWriter } from '../../core/changelog/log-writer.ts';
import type { HeaderRecord, LogRecord, TableRecord } from '../../core/changelog/records.ts';
import { fileError } from '../../core/errors/file-error.ts';
import { fileName, filePath, partialPath } from './log-files.ts';
import type { Cursor } from './line-reader.ts';
import type { ResumedLog } from './resume-log.ts';

/** Only the owner reads rows. */
const MODE = 0o600;
/** Read at once for the digest of a file. */
const READ_BYTES = 1024 * 1024;

export interface FileWriterOptions {
  readonly path: string;
  /** A file is sealed at the first end of a transaction past this, not counting what describes its tables. */
  readonly rotateBytes: number;
}

interface Place {
  readonly cursor: Cursor;
  readonly position: Lsn;
  /** Tables in force, by name. */
  readonly tables: ReadonlyMap<string, TableRecord>;
}

export class FileWriter implements LogWriter, AsyncDisposable {
  readonly #options: FileWriterOptions;
  readonly #header: HeaderRecord;
  #file: FileHandle;
  #path: string;
  #genesis: string;
  /** Where the next line goes. */
  #cursor: Cursor;
  /** Behind the last whole piece that was added. */
  #ended: Place;
  /** Behind the last whole piece in the file. */
  #written: Place;
  #synchronised: Lsn;
  /** Where rows begin in the newest file. */
  #rowsFrom: number;
  #gathered: string[] = [];
  #gatheredBytes = 0;
  #tables: ReadonlyMap<string, TableRecord>;
  /** Drafts that were found to be what `#tables` has. */
  readonly #known = new Map<TableDraft, number>();

  private constructor(
    options: FileWriterOptions,
    header: HeaderRecord,
    at: { readonly file: FileHandle; readonly path: string; readonly genesis: string; readonly place: Place },
    rowsFrom: number,
  ) {
    this.#options = options;
    this.#header = header;
    this.#file = at.file;
    this.#path = at.path;
    this.#genesis = at.genesis;
    this.#cursor = at.place.cursor;
    this.#ended = this.#written = at.place;
    this.#synchronised = at.place.position;
    this.#tables = at.place.tables;
    this.#rowsFrom = rowsFrom;
  }

  /** A new log, as FILE.partial until `publish`. @throws XcError XC-6002 */
  static async create(
    options: FileWriterOptions,
    header: Omit<HeaderRecord, 'genesis' | 'file' | 'previous'>,
  ): Promise<FileWriter> {
    const path = partialPath(options.path);
    const whole: HeaderRecord = { ...header, genesis: null, file: 1, previous: null };
    const file = await create(path);
    const cursor = { file: 1, offset: 0, line: 1, digest: CHAIN_START };
    const position = parseLsn(header.position);
    const place = { cursor, position, tables: new Map() };
    const writer = new FileWriter(options, whole, { file, path, genesis: '', place }, 0);
    writer.add(whole);
    writer.#genesis = writer.#cursor.digest;
    writer.ended(position);
    await writer.write();
    await writer.rewind();
    return writer;
  }

  /** Goes on behind the last whole piece of a log. @throws XcError XC-6002 */
  static async resume(options: FileWriterOptions, log: ResumedLog): Promise<FileWriter> {
    const path = filePath(options.path, log.boundary.file);
    const file = await open(path, 'r+').catch((error: unknown) => {
      throw fileError(path, error);
    });
    const { boundary: cursor, position, tables, genesis } = log;
    const place = { cursor, position, tables };
    const writer = new FileWriter(options, log.header, { file, path, genesis, place }, log.rowsFrom);
    await writer.rewind();
    if (log.sealed) await writer.#beginFile(cursor.file + 1);
    return writer;
  }

  get position(): Lsn {
    return this.#ended.position;
  }

  get synchronised(): Lsn {
    return this.#synchronised;
  }

  get pendingBytes(): number {
    return this.#gatheredBytes;
  }

  /** Number of the newest file. */
  get files(): number {
    return this.#cursor.file;
  }

  add(record: LogRecord): void {
    const { text, digest } = chained(this.#cursor.digest, JSON.stringify(record));
    const line = `${text}\n`;
    const bytes = Buffer.byteLength(line);
    this.#gathered.push(line);
    this.#gatheredBytes += bytes;
    const { file, offset, line: number } = this.#cursor;
    this.#cursor = { file, offset: offset + bytes, line: number + 1, digest };
  }

  tableNumber(draft: TableDraft): number {
    const found = this.#known.get(draft);
    if (found !== undefined) return found;
    const before = this.#tables.get(draft.name);
    const table = before?.table ?? this.#tables.size + 1;
    if (!before || shapeOf(before) !== shapeOf(draft)) {
      const record: TableRecord = { t: 'table', table, ...draft };
      this.#tables = new Map([...this.#tables, [draft.name, record]]);
      this.add(record);
      for (const other of this.#known.keys()) if (other.name === draft.name) this.#known.delete(other);
    }
    this.#known.set(draft, table);
    return table;
  }

  ended(position: Lsn): void {
    this.#ended = { cursor: this.#cursor, position, tables: this.#tables };
  }

  async write(): Promise<void> {
    await this.#append();
    const { file, offset } = this.#cursor;
    const between = this.#ended.cursor.offset === offset;
    const published = this.#path === filePath(this.#options.path, file);
    const isFull = offset - this.#rowsFrom >= this.#options.rotateBytes;
    if (between && published && isFull) await this.#rotate();
  }

  async synchronise(): Promise<void> {
    const { position } = this.#written;
    if (position === this.#synchronised) return;
    await this.#guarded(() => this.#file.datasync());
    this.#synchronised = position;
  }

  async rewind(): Promise<void> {
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#ended = this.#written;
    this.#cursor = this.#written.cursor;
    this.#tables = this.#written.tables;
    this.#known.clear();
    await this.#guarded(() => this.#file.truncate(this.#cursor.offset));
  }

  /** The log is whole from its start on: from now on it can be read. */
  async publish(): Promise<void> {
    const path = filePath(this.#options.path, 1);
    await this.#guarded(async () => {
      await this.#file.sync();
      await rename(this.#path, path);
      await syncDirectory(path);
    });
    this.#path = path;
    this.#synchronised = this.#written.position;
  }

  /** Ends the log for good. */
  async close(): Promise<void> {
    await this.#seal(null);
  }

  async #rotate(): Promise<void> {
    const next = this.files + 1;
    await this.#seal(fileName(this.#options.path, next));
    await this.#beginFile(next);
  }

  async #seal(next: string | null): Promise<void> {
    const { offset, line } = this.#cursor;
    const sha256 = await this.#digestOfFile(offset);
    const { position } = this;
    this.add({ t: 'seal', lsn: formatLsn(position), lines: line - 1, bytes: offset, sha256, next });
    this.ended(position);
    await this.#append();
    await this.#guarded(() => this.#file.sync());
    this.#synchronised = position;
  }

  /** Whatever interrupts it, it writes the same bytes when it is done again: a reader may be here already. */
  async #beginFile(number: number): Promise<void> {
    const path = filePath(this.#options.path, number);
    const { digest } = this.#cursor;
    await this.#file.close();
    this.#path = path;
    this.#file = await create(path);
    this.#cursor = { file: number, offset: 0, line: 1, digest };
    const position = formatLsn(this.position);
    this.add({ ...this.#header, genesis: this.#genesis, file: number, previous: digest, position });
    for (const table of this.#tables.values()) this.add(table);
    this.ended(this.position);
    this.#rowsFrom = this.#cursor.offset;
    await this.#append();
    await this.#guarded(async () => {
      await this.#file.truncate(this.#cursor.offset);
      await this.#file.sync();
      await syncDirectory(path);
    });
  }

  async #append(): Promise<void> {
    const bytes = Buffer.from(this.#gathered.join(''), 'utf8');
    this.#gathered = [];
    this.#gatheredBytes = 0;
    const at = this.#cursor.offset - bytes.length;
    await this.#guarded(async () => {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at + done);
        done += bytesWritten;
      }
    });
    this.#written = this.#ended;
  }

  async #digestOfFile(bytes: number): Promise<string> {
    const digest = createHash('sha256');
    const chunk = Buffer.allocUnsafe(READ_BYTES);
    for (let at = 0; at < bytes;) {
      const { bytesRead } = await this.#guarded(() =>
        this.#file.read(chunk, 0, Math.min(chunk.length, bytes - at), at),
      );
      if (bytesRead === 0) break;
      digest.update(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
    return digest.digest('hex');
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw fileError(this.#path, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

/** What makes a table another one; estimates move without that. */
const shapeOf = ({ name, columns, key, redacted, facts, types }: TableDraft): string =>
  JSON.stringify([name, columns, key, redacted, { ...facts, estimatedRows: 0, bytes: 0 }, types]);

/** What stands there is written over, and not emptied first: of a file that is begun again somebody may be reading. */
const create = async (path: string): Promise<FileHandle> => {
  try {
    return await open(path, constants.O_RDWR | constants.O_CREAT, MODE);
  } catch (error) {
    throw fileError(path, error);
  }
};

const syncDirectory = async (path: string): Promise<void> => {
  await using directory = await open(dirname(path), 'r');
  await directory.sync();
};
