/**
 * Applies compiled column actions to the bytes of fields. The same redactor works in the stream, in the copy and in
 * verification, so that all three see the same value. Fields are raw values in UTF-8 (text and binary format are the
 * same for text types), never COPY's escaped text. NULL has no bytes: callers leave it NULL and do not call.
 */

import { Buffer } from 'node:buffer';
import type { FieldRedactor } from '../change/field-redactor.ts';
import type { ColumnAction } from './column-action.ts';
import { keyedHash, type KeyedHash } from './keyed-hash.ts';

const ALLOW: FieldRedactor = {
  kind: 'allow',
  fixedLength: -1,
  write: (source, start, end, target, at) => source.copy(target, at, start, end),
};
const DROP: FieldRedactor = { kind: 'drop', fixedLength: 0, write: () => 0 };

/** One redactor a column, in the order of the actions. Make it once per relation and tenant, with the actions. */
export const compileRedactors = (actions: readonly ColumnAction[]): readonly FieldRedactor[] =>
  actions.map(fieldRedactor);

export const fieldRedactor = (action: ColumnAction): FieldRedactor => {
  switch (action.kind) {
    case 'allow':
      return ALLOW;
    case 'drop':
      return DROP;
    case 'mask': {
      const { text } = action;
      return {
        kind: 'mask',
        fixedLength: text.length,
        write: (_source, _start, _end, target, at) => {
          target.set(text, at);
          return text.length;
        },
      };
    }
    case 'hash': {
      const { length } = action;
      const digits = hasherOf(action.key);
      return {
        kind: 'hash',
        fixedLength: length,
        write: (source, start, end, target, at) => {
          digits(source, start, end, target, at, length);
          return length;
        },
      };
    }
  }
};

/**
 * The field [start, end) of `bytes` under one action: null for drop, a view without copy for allow, new bytes for
 * hash and mask.
 */
export const redactField = (
  action: ColumnAction,
  bytes: Buffer,
  start: number,
  end: number,
): Buffer | null => {
  switch (action.kind) {
    case 'allow':
      return bytes.subarray(start, end);
    case 'drop':
      return null;
    case 'mask':
      return Buffer.from(action.text);
    case 'hash': {
      const digits = Buffer.alloc(action.length);
      hasherOf(action.key)(bytes, start, end, digits, 0, action.length);
      return digits;
    }
  }
};

/** A key is one object for the life of a run, however many relations use it. */
const hashers = new WeakMap<Uint8Array, KeyedHash>();
const hasherOf = (key: Uint8Array): KeyedHash => {
  let hasher = hashers.get(key);
  if (!hasher) hashers.set(key, (hasher = keyedHash(key)));
  return hasher;
};
