/**
 * What a log file holds, in pieces that are whole: a transaction is given once its commit is there. What an unfinished
 * one has left behind may be cut off and written anew by the recorder, so a line that breaks the chain there is looked
 * at again from the last whole piece on before it is called altered.
 */

import type { FileHandle } from 'node:fs/promises';
import { parseLsn, type Lsn } from '../../core/change/lsn.ts';
import {
  kindOf,
  parseHeader,
  parseSeal,
  parseTable,
  readJson,
  type RecordKind,
} from '../../core/changelog/parse.ts';
import type { HeaderRecord, SealRecord, TableRecord } from '../../core/changelog/records.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { LineReader, type Cursor, type Line } from './line-reader.ts';

export interface TransactionUnit {
  readonly kind: 'transaction';
  /** Lines from begin to commit; null where they are too many to be kept: read them again from `from`. */
  readonly lines: readonly Line[] | null;
  readonly from: Cursor;
  readonly to: Cursor;
  readonly endLsn: Lsn;
  /** Some table is described anew inside it. */
  readonly hasTables: boolean;
}

export type Unit =
  | { readonly kind: 'header'; readonly header: HeaderRecord }
  | { readonly kind: 'table'; readonly table: TableRecord }
  | TransactionUnit
  | { readonly kind: 'position'; readonly lsn: Lsn; readonly at: string | null }
  | { readonly kind: 'copied'; readonly lsn: Lsn }
  | { readonly kind: 'seal'; readonly seal: SealRecord };

/** Of one transaction that is kept while its end is looked for. */
const KEPT_BYTES = 8 * 2 ** 20;

interface Unfinished {
  readonly from: Cursor;
  lines: Line[] | null;
  bytes: number;
  hasTables: boolean;
}

export class UnitReader {
  readonly #handle: FileHandle;
  readonly #path: string;
  #reader: LineReader;
  /** Behind the last whole piece. */
  #boundary: Cursor;
  #transaction: Unfinished | null = null;
  #lookingAgain = false;
  #sealed = false;
  #atEnd = false;

  constructor(handle: FileHandle, path: string, cursor: Cursor) {
    this.#handle = handle;
    this.#path = path;
    this.#boundary = cursor;
    this.#reader = new LineReader(handle, cursor);
  }

  get boundary(): Cursor {
    return this.#boundary;
  }

  /** Bytes behind the last whole line. */
  get torn(): number {
    return this.#reader.torn;
  }

  /** Bytes behind the boundary that were read. */
  get behind(): number {
    return this.#reader.cursor.offset + this.torn - this.#boundary.offset;
  }

  /** @throws XcError XC-5031 for an altered line, XC-5034 for what stands behind a seal, XC-5036 */
  async next(): Promise<Unit | 'end'> {
    if (this.#atEnd) await this.#lookFresh();
    for (;;) {
      const line = this.#reader.next();
      if (line === null) {
        if (await this.#reader.more()) continue;
        if (this.#sealed && this.torn > 0) throw this.#behindSeal();
        this.#atEnd = true;
        return 'end';
      }
      if (line === 'altered') {
        if (this.#lookingAgain || this.#boundary.offset === this.#reader.cursor.offset) throw this.#altered();
        this.#lookingAgain = true;
        this.#backToBoundary();
        continue;
      }
      if (this.#sealed) throw this.#behindSeal();
      const unit = this.#take(line);
      if (unit === null) continue;
      this.#boundary = this.#reader.cursor;
      this.#lookingAgain = false;
      return unit;
    }
  }

  /** The lines of a transaction that was not kept. */
  async *lines({ from, to }: TransactionUnit): AsyncGenerator<Line> {
    const reader = new LineReader(this.#handle, from);
    while (reader.cursor.offset < to.offset) {
      const line = reader.next();
      if (line === 'altered') throw this.#altered(reader.cursor);
      if (line !== null) yield line;
      else if (!(await reader.more())) throw this.#altered(reader.cursor);
    }
  }

  /** Tables that change inside the transaction. */
  async *tablesIn(unit: TransactionUnit): AsyncGenerator<TableRecord> {
    if (!unit.hasTables) return;
    let line = unit.from.line;
    for await (const { text } of unit.lines ?? this.lines(unit)) {
      if (kindOf(text) === 'table') yield parseTable(text, this.where(line));
      line++;
    }
  }

  /** "FILE:LINE" */
  where(line: number): string {
    return `${this.#path}:${line}`;
  }

  /** The file may have grown, and what was not whole may be another by now. */
  async #lookFresh(): Promise<void> {
    this.#atEnd = false;
    const { size } = await this.#handle.stat();
    if (size < this.#boundary.offset + this.behind) this.#backToBoundary();
    else this.#reader.forgetTorn();
  }

  #backToBoundary(): void {
    this.#transaction = null;
    this.#reader = new LineReader(this.#handle, this.#boundary);
  }

  #take(line: Line): Unit | null {
    const kind = kindOf(line.text);
    if (this.#transaction) return this.#inTransaction(this.#transaction, kind, line);
    const where = this.where(this.#reader.cursor.line - 1);
    switch (kind) {
      case 'begin':
        this.#transaction = { from: this.#boundary, lines: [line], bytes: line.bytes, hasTables: false };
        return null;
      case 'header':
        return { kind, header: parseHeader(line.text, where) };
      case 'table':
        return { kind, table: parseTable(line.text, where) };
      case 'position':
        return { kind, ...positionOf(line.text, where) };
      case 'copied':
        return { kind, lsn: positionOf(line.text, where).lsn };
      case 'seal':
        this.#sealed = true;
        return { kind, seal: parseSeal(line.text, where) };
      default:
        throw new XcError('XC-5036', { subject: where, why: `a ${kind ?? 'line'} outside a transaction` });
    }
  }

  #inTransaction(transaction: Unfinished, kind: RecordKind | null, line: Line): Unit | null {
    const where = this.where(this.#reader.cursor.line - 1);
    if (kind === null || OUTSIDE.has(kind))
      throw new XcError('XC-5036', { subject: where, why: `a ${kind ?? 'line'} inside a transaction` });
    if (kind === 'table') transaction.hasTables = true;
    transaction.bytes += line.bytes;
    if (transaction.bytes > KEPT_BYTES) transaction.lines = null;
    transaction.lines?.push(line);
    if (kind !== 'commit') return null;
    this.#transaction = null;
    const { from, lines, hasTables } = transaction;
    const { lsn } = positionOf(line.text, where);
    return { kind: 'transaction', lines, from, to: this.#reader.cursor, endLsn: lsn, hasTables };
  }

  #altered(cursor: Cursor = this.#reader.cursor): XcError {
    return new XcError('XC-5031', {
      subject: this.where(cursor.line),
      why: 'its digest does not fit it and the line before',
      facts: { file: this.#path, line: cursor.line },
    });
  }

  #behindSeal(): XcError {
    return new XcError('XC-5034', { subject: this.#path, why: 'it goes on behind its seal' });
  }
}

const OUTSIDE: ReadonlySet<RecordKind> = new Set(['header', 'begin', 'position', 'copied', 'seal']);

const positionOf = (text: string, where: string): { lsn: Lsn; at: string | null } => {
  const { lsn, at } = readJson(text, where) as { lsn?: unknown; at?: unknown };
  return { lsn: parseLsn(String(lsn)), at: typeof at === 'string' ? at : null };
};
