/** Fields of rows between their written form (tuple-plan.ts: int32 length and bytes) and the values of a log's line. */

import { isUtf8 } from 'node:buffer';
import { XcError } from '../errors/xc-error.ts';
import { readInt32 } from '../change/pgoutput.ts';
import { NULL_FIELD, UNCHANGED_FIELD } from '../change/tuple-plan.ts';
import type { LoggedValue } from './records.ts';

/** Reads `count` written fields, text values, from `at` on. */
export const loggedValues = (bytes: Buffer, at: number, count: number): LoggedValue[] => {
  const values: LoggedValue[] = [];
  let next = at;
  for (let left = count; left > 0; left--) {
    const length = readInt32(bytes, next);
    next += 4;
    if (length === NULL_FIELD) values.push(null);
    else if (length === UNCHANGED_FIELD) values.push({ unchanged: true });
    else {
      values.push(textOrBytes(bytes, next, next + length));
      next += length;
    }
  }
  return values;
};

/** The same of fields that stand alone. */
export const fieldsAsLogged = (fields: readonly (Uint8Array | null)[]): LoggedValue[] =>
  fields.map((field) => field && textOrBytes(Buffer.from(field), 0, field.length));

/** A server whose encoding is SQL_ASCII may hold what is no text. */
const textOrBytes = (bytes: Buffer, start: number, end: number): LoggedValue => {
  const field = bytes.subarray(start, end);
  return isUtf8(field) ? field.toString('utf8') : { base64: field.toString('base64') };
};

/** One value as a column of a pgoutput tuple: kind, and for a text its length and bytes. */
export const tupleColumn = (value: unknown): Buffer => {
  if (value === null) return NULL_COLUMN;
  const text = bytesOf(value);
  if (text === null) return UNCHANGED_COLUMN;
  const column = Buffer.allocUnsafe(5 + text.length);
  column[0] = 0x74;
  column.writeInt32BE(text.length, 1);
  text.copy(column, 5);
  return column;
};

const NULL_COLUMN = Buffer.from('n');
const UNCHANGED_COLUMN = Buffer.from('u');

const bytesOf = (value: unknown): Buffer | null => {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof value === 'object' && value !== null) {
    if ('base64' in value && typeof value.base64 === 'string') return Buffer.from(value.base64, 'base64');
    if ('unchanged' in value && value.unchanged === true) return null;
  }
  throw new XcError('XC-5036', { why: 'a value of a row is neither text, null, unchanged nor base64' });
};
