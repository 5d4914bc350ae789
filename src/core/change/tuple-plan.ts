/**
 * How the columns of one relation become the fields of a row that the target receives, for one tenant's policy: which
 * leave the region, how they are redacted, and which of them are the key. A written row is an int16 field count and,
 * for each field, an int32 length (−1 NULL, −2 unchanged TOAST value) and its bytes: the row format of binary COPY, so
 * that an insert is spliced into a COPY as it stands.
 */

import { Arena } from './arena.ts';
import { XcError } from '../errors/xc-error.ts';
import type { FieldRedactor } from './field-redactor.ts';
import { readInt16, readInt32 } from './pgoutput.ts';

export const NULL_FIELD = -1;
export const UNCHANGED_FIELD = -2;

export interface FieldPlan {
  readonly name: string;
  /** null drops the column. */
  readonly redactor: FieldRedactor | null;
}

export interface TuplePlan {
  /** In the order of the relation message. */
  readonly fields: readonly FieldPlan[];
  /** Names of the fields that are written, in order. */
  readonly columns: readonly string[];
  /** Positions in `columns` of the key, ascending; empty where the whole row is the key. */
  readonly key: readonly number[];
  /** Every field passes as it is. */
  readonly plain: boolean;
}

export const makeTuplePlan = (fields: readonly FieldPlan[], keyNames: ReadonlySet<string>): TuplePlan => {
  const columns = fields.filter((field) => field.redactor !== null).map((field) => field.name);
  return {
    fields,
    columns,
    key: columns.flatMap((name, index) => (keyNames.has(name) ? [index] : [])),
    plain: fields.every((field) => field.redactor?.kind === 'allow'),
  };
};

/** Source of fields: pgoutput's tuples have a kind byte before each field; rows of COPY and DataRow have none. */
export type TupleForm = 'pgoutput' | 'row';

const KIND_NULL = 0x6e;
const KIND_UNCHANGED = 0x75;

/**
 * Writes one row into the arena.
 * @param at offset of the tuple's int16 count
 * @param old offset of the old row's tuple in the same bytes, which may have the value of a field that the new row calls
 *   unchanged (any under REPLICA IDENTITY FULL, else only one of the key; the others are NULL there), or −1
 * @returns true when some field is left unchanged
 */
export const writeTuple = (
  arena: Arena,
  plan: TuplePlan,
  form: TupleForm,
  bytes: Buffer,
  at: number,
  old = -1,
): boolean => {
  const { fields } = plan;
  requireFields(bytes, at, fields.length);
  if (plan.plain && old < 0 && form === 'pgoutput') return writePlain(arena, fields.length, bytes, at + 2);
  if (old >= 0) requireFields(bytes, old, fields.length);
  let unchanged = false;
  let next = at + 2;
  let oldNext = old + 2;
  arena.int16(plan.columns.length);
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]!;
    const oldAt = oldNext;
    if (old >= 0) oldNext = afterField(bytes, oldNext, 'pgoutput');
    const from = next;
    next = afterField(bytes, next, form);
    if (field.redactor === null) continue;
    if (form === 'pgoutput') {
      const kind = bytes[from];
      if (kind === KIND_NULL) arena.int32(NULL_FIELD);
      else if (kind !== KIND_UNCHANGED) writeField(arena, field, bytes, from + 5, next);
      else if (old < 0 || bytes[oldAt] === KIND_NULL) {
        unchanged = true;
        arena.int32(UNCHANGED_FIELD);
      } else if (bytes[oldAt] === KIND_UNCHANGED) throw withoutValue(field.name);
      else writeField(arena, field, bytes, oldAt + 5, oldNext);
    } else if (next - from === 4 && readInt32(bytes, from) < 0) arena.int32(NULL_FIELD);
    else writeField(arena, field, bytes, from + 4, next);
  }
  return unchanged;
};

/** The usual case by itself: every field leaves as it came, its length with it. */
const writePlain = (arena: Arena, count: number, bytes: Buffer, start: number): boolean => {
  let unchanged = false;
  let next = start;
  arena.int16(count);
  for (let left = count; left > 0; left--) {
    const kind = bytes[next];
    if (kind === KIND_NULL || kind === KIND_UNCHANGED) {
      if (kind === KIND_UNCHANGED) unchanged = true;
      arena.int32(kind === KIND_NULL ? NULL_FIELD : UNCHANGED_FIELD);
      next += 1;
    } else {
      const end = next + 5 + readInt32(bytes, next + 1);
      arena.copy(bytes, next + 1, end);
      next = end;
    }
  }
  return unchanged;
};

/** Writes the key's fields only, from a row whose other fields need not be there. */
export const writeKey = (arena: Arena, plan: TuplePlan, bytes: Buffer, at: number): void => {
  requireFields(bytes, at, plan.fields.length);
  let next = at + 2;
  let column = 0;
  for (const field of plan.fields) {
    const from = next;
    next = afterField(bytes, next, 'pgoutput');
    if (field.redactor === null) continue;
    if (plan.key.includes(column++)) {
      if (bytes[from] === KIND_NULL) arena.int32(NULL_FIELD);
      else if (bytes[from] === KIND_UNCHANGED) throw withoutValue(field.name);
      else writeField(arena, field, bytes, from + 5, next);
    }
  }
};

/** The server writes large values of an old row out (ExtractReplicaIdentity): a row is found by its values. */
export const withoutValue = (column: string): XcError =>
  new XcError('XC-5201', { subject: `an old row that does not say its ${column}` });

/** A row with another number of fields than its relation was described with would be read past its end. */
const requireFields = (bytes: Buffer, at: number, count: number): void => {
  if (readInt16(bytes, at) === count) return;
  throw new XcError('XC-5201', {
    subject: `a row of ${readInt16(bytes, at)} fields where ${count} were described`,
  });
};

const writeField = (arena: Arena, field: FieldPlan, bytes: Buffer, start: number, end: number): void => {
  const redactor = field.redactor!;
  if (redactor.kind === 'allow') {
    arena.int32(end - start);
    arena.copy(bytes, start, end);
    return;
  }
  arena.int32(redactor.fixedLength);
  arena.reserve(redactor.fixedLength);
  arena.length += redactor.write(bytes, start, end, arena.bytes, arena.length);
};

const afterField = (bytes: Buffer, at: number, form: TupleForm): number => {
  if (form === 'row') return at + 4 + Math.max(0, readInt32(bytes, at));
  const kind = bytes[at];
  return kind === KIND_NULL || kind === KIND_UNCHANGED ? at + 1 : at + 5 + readInt32(bytes, at + 1);
};

/** @throws XcError XC-5201 where the row of a binary COPY that begins at `at` does not end at `end` */
export const requireCopyRow = (bytes: Buffer, at: number, end: number): void => {
  let next = at + 2;
  for (let left = readInt16(bytes, at); left > 0 && next + 4 <= end; left--) {
    const length = readInt32(bytes, next);
    next = length < -1 ? end + 1 : next + 4 + Math.max(0, length);
  }
  if (next !== end) throw new XcError('XC-5201', { subject: 'a copied row that does not fill its message' });
};

/** Offsets of a written row's fields: start of each int32 length, and the end of the row last. */
export const fieldOffsets = (bytes: Buffer, at: number): number[] => {
  const offsets: number[] = [];
  let next = at + 2;
  for (let left = readInt16(bytes, at); left > 0; left--) {
    offsets.push(next);
    next += 4 + Math.max(0, readInt32(bytes, next));
  }
  offsets.push(next);
  return offsets;
};

/**
 * Field `index` of a pgoutput tuple as [start, end) of its bytes, or null when it is NULL or unchanged.
 * @throws XcError XC-5201 where the tuple has no such field
 */
export const pgoutputField = (
  bytes: Uint8Array,
  at: number,
  index: number,
): [start: number, end: number] | null => {
  const count = readInt16(bytes, at);
  if (index >= count)
    throw new XcError('XC-5201', { subject: `a row of ${count} fields without number ${index + 1}` });
  let next = at + 2;
  for (let column = 0; ; column++) {
    const kind = bytes[next];
    const empty = kind === KIND_NULL || kind === KIND_UNCHANGED;
    const end = empty ? next + 1 : next + 5 + readInt32(bytes, next + 1);
    if (column === index) return empty ? null : [next + 5, end];
    next = end;
  }
};
