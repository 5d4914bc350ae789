/**
 * Decodes the messages of the pgoutput plugin, protocol versions 1 to 4 without streaming, in place: a handler gets
 * offsets into the received bytes and no object is made per column. Formats: PostgreSQL documentation, 54.9 (Logical
 * Replication Message Formats). Bytes that do not fit the format are a typed error, never a guess.
 */

import { lsnOf, type Lsn } from './lsn.ts';
import { exactly, flagsOf, foreignText, malformed, nameText, need } from './message-fields.ts';

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
  /** Part of the replica identity. */
  readonly key: boolean;
}

export interface RelationMessage {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** d default, n nothing, f full, i index. */
  readonly identity: string;
  readonly columns: readonly RelationColumn[];
}

/** Old row of an UPDATE or DELETE: K carries the identity's columns, O all of them. */
export type OldKind = 'K' | 'O';

/** Called in the order of the stream. Tuples are given by the offset of their int16 column count. */
export interface PgoutputHandler {
  /** @param commitLsn start of the commit record; a position P is before this transaction when commitLsn >= P */
  begin(commitLsn: Lsn, commitMicros: number, xid: number): void;
  /** @param endLsn end of the commit record: the transaction's position */
  commit(commitLsn: Lsn, endLsn: Lsn, commitMicros: number): void;
  origin(name: string): void;
  relation(relation: RelationMessage): void;
  insert(relation: number, bytes: Uint8Array, tuple: number, end: number): void;
  update(
    relation: number,
    bytes: Uint8Array,
    oldKind: OldKind | null,
    old: number,
    tuple: number,
    end: number,
  ): void;
  delete(relation: number, bytes: Uint8Array, oldKind: OldKind, old: number, end: number): void;
  truncate(relations: readonly number[]): void;
  message(transactional: boolean, lsn: Lsn, prefix: string, content: Uint8Array): void;
}

/** PostgreSQL counts microseconds from 2000-01-01; this is that instant in Unix microseconds. */
export const POSTGRES_EPOCH_MICROS = 946_684_800_000_000;

export const readInt16 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] ?? 0) << 24) >> 16) | (bytes[at + 1] ?? 0);

export const readInt32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) |
  ((bytes[at + 1] ?? 0) << 16) |
  ((bytes[at + 2] ?? 0) << 8) |
  (bytes[at + 3] ?? 0);

export const readUint32 = (bytes: Uint8Array, at: number): number => readInt32(bytes, at) >>> 0;

/** A number of 64 bits is put together without arithmetic on bigints, each result of which would be an object. */
const WORDS = new Uint32Array(2);
const LONG = new BigUint64Array(WORDS.buffer);
const [HIGH, LOW] = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? [1, 0] : [0, 1];

export const readUint64 = (bytes: Uint8Array, at: number): bigint => {
  WORDS[HIGH] = readInt32(bytes, at);
  WORDS[LOW] = readInt32(bytes, at + 4);
  return LONG[0]!;
};

/** int64 as a number: exact for microseconds of some 285 years around PostgreSQL's epoch, infinity far outside. */
export const readMicros = (bytes: Uint8Array, at: number): number =>
  readInt32(bytes, at) * 2 ** 32 + readUint32(bytes, at + 4);

export const readLsn = (bytes: Uint8Array, at: number): Lsn => lsnOf(readUint64(bytes, at));

/** Where the tuple that starts at `at` ends. @throws XcError XC-5201 when it reaches past `end` */
export const tupleEnd = (bytes: Uint8Array, at: number, end: number): number => {
  need(at, 2, end, 'tuple');
  let next = at + 2;
  const count = readInt16(bytes, at);
  if (count < 0) throw malformed(`row of ${count} columns`);
  for (let left = count; left > 0; left--) {
    need(next, 1, end, 'column');
    const kind = bytes[next++];
    if (kind === 0x6e || kind === 0x75) continue; // n: NULL, u: unchanged TOAST value
    if (kind !== 0x74 && kind !== 0x62) throw malformed(`column kind ${kind}`);
    need(next, 4, end, 'column length');
    const length = readInt32(bytes, next);
    if (length < 0) throw malformed(`column length ${length}`);
    next += 4 + length;
    if (next > end) throw malformed('column past the message');
  }
  return next;
};

/** Decodes one message. @throws XcError XC-5201 */
export const decodeMessage = (
  bytes: Uint8Array,
  start: number,
  end: number,
  handler: PgoutputHandler,
): void => {
  if (start >= end) throw malformed('empty message');
  const type = bytes[start];
  const at = start + 1;
  switch (type) {
    case 0x49: // I
      return decodeInsert(bytes, at, end, handler);
    case 0x55: // U
      return decodeUpdate(bytes, at, end, handler);
    case 0x44: // D
      return decodeDelete(bytes, at, end, handler);
    case 0x42: // B
      need(at, 20, end, 'begin');
      exactly(at + 20, end, 'begin');
      return handler.begin(readLsn(bytes, at), readMicros(bytes, at + 8), readUint32(bytes, at + 16));
    case 0x43: // C
      need(at, 25, end, 'commit');
      exactly(at + 25, end, 'commit');
      flagsOf(bytes, at, 0, 'commit');
      return handler.commit(readLsn(bytes, at + 1), readLsn(bytes, at + 9), readMicros(bytes, at + 17));
    case 0x52: // R
      return handler.relation(decodeRelation(bytes, at, end));
    case 0x59: // Y: type names; the catalogue says more
      return checkType(bytes, at, end);
    case 0x4f: // O
      return decodeOrigin(bytes, at, end, handler);
    case 0x54: // T
      return decodeTruncate(bytes, at, end, handler);
    case 0x4d: // M
      return decodeLogicalMessage(bytes, at, end, handler);
    default:
      throw malformed(`message type ${type === undefined ? '' : String.fromCharCode(type)}`);
  }
};

const checkType = (bytes: Uint8Array, at: number, end: number): void => {
  need(at, 4, end, 'type');
  const [, afterSchema] = nameText(bytes, at + 4, end);
  exactly(nameText(bytes, afterSchema, end)[1], end, 'type');
};

const decodeOrigin = (bytes: Uint8Array, at: number, end: number, handler: PgoutputHandler): void => {
  need(at, 8, end, 'origin');
  const [name, next] = foreignText(bytes, at + 8, end);
  exactly(next, end, 'origin');
  handler.origin(name);
};

const decodeInsert = (bytes: Uint8Array, at: number, end: number, handler: PgoutputHandler): void => {
  need(at, 5, end, 'insert');
  if (bytes[at + 4] !== 0x4e) throw malformed('insert without a new row');
  if (tupleEnd(bytes, at + 5, end) !== end) throw malformed('insert with trailing bytes');
  handler.insert(readUint32(bytes, at), bytes, at + 5, end);
};

const decodeUpdate = (bytes: Uint8Array, at: number, end: number, handler: PgoutputHandler): void => {
  need(at, 5, end, 'update');
  const relation = readUint32(bytes, at);
  let next = at + 4;
  let old = -1;
  const kind = oldKind(bytes[next]);
  if (kind) {
    old = next + 1;
    next = tupleEnd(bytes, old, end);
    need(next, 1, end, 'update');
  }
  if (bytes[next] !== 0x4e) throw malformed('update without a new row');
  if (tupleEnd(bytes, next + 1, end) !== end) throw malformed('update with trailing bytes');
  handler.update(relation, bytes, kind, old, next + 1, end);
};

const decodeDelete = (bytes: Uint8Array, at: number, end: number, handler: PgoutputHandler): void => {
  need(at, 5, end, 'delete');
  const kind = oldKind(bytes[at + 4]);
  if (!kind) throw malformed('delete without an old row');
  if (tupleEnd(bytes, at + 5, end) !== end) throw malformed('delete with trailing bytes');
  handler.delete(readUint32(bytes, at), bytes, kind, at + 5, end);
};

const oldKind = (byte: number | undefined): OldKind | null =>
  byte === 0x4b ? 'K' : byte === 0x4f ? 'O' : null;

const decodeRelation = (bytes: Uint8Array, at: number, end: number): RelationMessage => {
  need(at, 4, end, 'relation');
  const [schema, afterSchema] = nameText(bytes, at + 4, end);
  const [name, afterName] = nameText(bytes, afterSchema, end);
  need(afterName, 3, end, 'relation');
  const columns: RelationColumn[] = [];
  let next = afterName + 3;
  const count = readInt16(bytes, afterName + 1);
  if (count < 0) throw malformed(`relation of ${count} columns`);
  for (let left = count; left > 0; left--) {
    need(next, 1, end, 'relation column');
    const flags = flagsOf(bytes, next, 1, 'relation column');
    const [column, after] = nameText(bytes, next + 1, end);
    need(after, 8, end, 'relation column');
    columns.push({
      name: column,
      typeOid: readUint32(bytes, after),
      typeModifier: readInt32(bytes, after + 4),
      key: (flags & 1) === 1,
    });
    next = after + 8;
  }
  exactly(next, end, 'relation');
  return {
    oid: readUint32(bytes, at),
    schema: schema === '' ? 'pg_catalog' : schema,
    name,
    identity: identityOf(bytes[afterName]),
    columns,
  };
};

const identityOf = (byte: number | undefined): string => {
  const identity = String.fromCharCode(byte ?? 0);
  if (!'dnfi'.includes(identity)) throw malformed(`replica identity ${byte}`);
  return identity;
};

const decodeTruncate = (bytes: Uint8Array, at: number, end: number, handler: PgoutputHandler): void => {
  need(at, 5, end, 'truncate');
  const count = readInt32(bytes, at);
  if (count < 0) throw malformed(`truncate of ${count} tables`);
  need(at + 5, count * 4, end, 'truncate');
  exactly(at + 5 + count * 4, end, 'truncate');
  flagsOf(bytes, at + 4, 3, 'truncate');
  handler.truncate(Array.from({ length: count }, (_, index) => readUint32(bytes, at + 5 + index * 4)));
};

const decodeLogicalMessage = (bytes: Uint8Array, at: number, end: number, handler: PgoutputHandler): void => {
  need(at, 9, end, 'logical message');
  const [prefix, next] = foreignText(bytes, at + 9, end);
  need(next, 4, end, 'logical message');
  const length = readInt32(bytes, next);
  if (length < 0) throw malformed('logical message length');
  need(next + 4, length, end, 'logical message');
  exactly(next + 4 + length, end, 'logical message');
  handler.message(
    flagsOf(bytes, at, 1, 'logical message') === 1,
    readLsn(bytes, at + 1),
    prefix,
    bytes.subarray(next + 4, next + 4 + length),
  );
};
