/**
 * Another reading of pgoutput, slow and plain, written from PostgreSQL's documentation (54.9) and sharing nothing with
 * the product's: what the product accepts must be what this one reads.
 */

import type { OldKind } from '../../src/core/change/pgoutput.ts';

/** A column of a row: null for NULL, undefined for an unchanged large value. */
export type Field = Buffer | null | undefined;

export type Reading =
  | { readonly kind: 'begin' | 'commit' | 'origin' | 'type' | 'message' }
  | {
      readonly kind: 'relation';
      readonly oid: number;
      readonly name: string;
      readonly columns: readonly string[];
    }
  | { readonly kind: 'insert'; readonly oid: number; readonly row: readonly Field[] }
  | {
      readonly kind: 'update';
      readonly oid: number;
      readonly oldKind: OldKind | null;
      readonly old: readonly Field[];
      readonly row: readonly Field[];
    }
  | {
      readonly kind: 'delete';
      readonly oid: number;
      readonly oldKind: OldKind;
      readonly old: readonly Field[];
    }
  | { readonly kind: 'truncate'; readonly oids: readonly number[] };

export class Unreadable extends Error {}

class Cursor {
  #at = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  take(count: number): Buffer {
    if (count < 0 || this.#at + count > this.#bytes.length) throw new Unreadable('past the end');
    return this.#bytes.subarray(this.#at, (this.#at += count));
  }

  byte = (): number => this.take(1).readUInt8();
  letter = (): string => String.fromCharCode(this.byte());
  int16 = (): number => this.take(2).readInt16BE();
  int32 = (): number => this.take(4).readInt32BE();
  uint32 = (): number => this.take(4).readUInt32BE();

  text(): string {
    const stop = this.#bytes.indexOf(0, this.#at);
    if (stop < 0) throw new Unreadable('text without end');
    const bytes = this.take(stop - this.#at);
    this.take(1);
    const text = bytes.toString('utf8');
    if (!Buffer.from(text, 'utf8').equals(bytes)) throw new Unreadable('no UTF-8');
    return text;
  }

  anyText(): void {
    while (this.byte() !== 0);
  }

  row(): Field[] {
    const count = this.int16();
    if (count < 0) throw new Unreadable('negative count');
    return Array.from({ length: count }, () => {
      const kind = this.letter();
      if (kind === 'n') return null;
      if (kind === 'u') return undefined;
      if (kind !== 't' && kind !== 'b') throw new Unreadable(`column kind ${kind}`);
      return this.take(this.int32());
    });
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new Unreadable('trailing bytes');
  }
}

/** @throws Unreadable */
export const readMessage = (bytes: Buffer): Reading => {
  const cursor = new Cursor(bytes);
  const reading = read(cursor);
  cursor.end();
  return reading;
};

/** The fields of the row that the bytes begin with; what comes behind it is left. @throws Unreadable */
export const readRow = (bytes: Buffer): readonly Field[] => new Cursor(bytes).row();

const read = (cursor: Cursor): Reading => {
  const type = cursor.letter();
  switch (type) {
    case 'B':
      cursor.take(20);
      return { kind: 'begin' };
    case 'C':
      if (cursor.byte() !== 0) throw new Unreadable('flags');
      cursor.take(24);
      return { kind: 'commit' };
    case 'O':
      cursor.take(8);
      cursor.anyText();
      return { kind: 'origin' };
    case 'Y':
      cursor.take(4);
      cursor.text();
      cursor.text();
      return { kind: 'type' };
    case 'M':
      if (cursor.byte() > 1) throw new Unreadable('flags');
      cursor.take(8);
      cursor.anyText();
      cursor.take(cursor.int32());
      return { kind: 'message' };
    case 'R':
      return relation(cursor);
    case 'I': {
      const oid = cursor.uint32();
      expectLetter(cursor, 'N');
      return { kind: 'insert', oid, row: cursor.row() };
    }
    case 'U':
      return update(cursor);
    case 'D': {
      const oid = cursor.uint32();
      const kind = cursor.letter();
      if (kind !== 'K' && kind !== 'O') throw new Unreadable('old row');
      return { kind: 'delete', oid, oldKind: kind, old: cursor.row() };
    }
    case 'T': {
      const count = cursor.int32();
      if (cursor.byte() > 3) throw new Unreadable('flags');
      const oids = cursor.take(count * 4);
      return {
        kind: 'truncate',
        oids: Array.from({ length: count }, (_, index) => oids.readUInt32BE(index * 4)),
      };
    }
    default:
      throw new Unreadable(`type ${type}`);
  }
};

const expectLetter = (cursor: Cursor, wanted: string): void => {
  if (cursor.letter() !== wanted) throw new Unreadable(`no ${wanted}`);
};

const relation = (cursor: Cursor): Reading => {
  const oid = cursor.uint32();
  const name = `${cursor.text()}.${cursor.text()}`;
  if (!'dnfi'.includes(cursor.letter())) throw new Unreadable('identity');
  const count = cursor.int16();
  if (count < 0) throw new Unreadable('negative count');
  const columns = Array.from({ length: count }, () => {
    if (cursor.byte() > 1) throw new Unreadable('flags');
    const column = cursor.text();
    cursor.take(8);
    return column;
  });
  return { kind: 'relation', oid, name, columns };
};

const update = (cursor: Cursor): Reading => {
  const oid = cursor.uint32();
  const kind = cursor.letter();
  if (kind === 'N') return { kind: 'update', oid, oldKind: null, old: [], row: cursor.row() };
  if (kind !== 'K' && kind !== 'O') throw new Unreadable('old row');
  const old = cursor.row();
  expectLetter(cursor, 'N');
  return { kind: 'update', oid, oldKind: kind, old, row: cursor.row() };
};
