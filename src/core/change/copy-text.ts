/**
 * Rows of COPY in text format, for tables whose types have no binary form that another server would understand: fields
 * are taken apart, redacted and put together again. Format: PostgreSQL documentation, COPY, Text Format.
 */

import type { FieldPlan } from './tuple-plan.ts';

const TAB = 0x09;
const BACKSLASH = 0x5c;
const ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Fields of one row without its newline; null for NULL. */
export const splitTextRow = (bytes: Buffer, start: number, end: number): (Buffer | null)[] => {
  const fields: (Buffer | null)[] = [];
  let from = start;
  for (let at = start; at <= end; at++) {
    if (at < end && bytes[at] !== TAB) {
      if (bytes[at] === BACKSLASH) at++;
      continue;
    }
    fields.push(unescape(bytes, from, at));
    from = at + 1;
  }
  return fields;
};

const unescape = (bytes: Buffer, start: number, end: number): Buffer | null => {
  if (end - start === 2 && bytes[start] === BACKSLASH && bytes[start + 1] === 0x4e) return null;
  const first = bytes.indexOf(BACKSLASH, start);
  if (first < 0 || first >= end) return bytes.subarray(start, end);
  const text = bytes
    .toString('latin1', start, end)
    .replace(/\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|[\s\S])/g, (_whole, code: string) => {
      if (code.length > 1 && code.startsWith('x'))
        return String.fromCharCode(Number.parseInt(code.slice(1), 16));
      if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8) & 0xff);
      return ESCAPES[code] ?? code;
    });
  return Buffer.from(text, 'latin1');
};

const ESCAPED: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};

/** One row with its newline: the fields that leave, redacted and escaped. */
export const joinTextRow = (fields: readonly (Buffer | null)[], plan: readonly FieldPlan[]): Buffer => {
  const parts: string[] = [];
  for (const [index, { redactor }] of plan.entries()) {
    if (redactor === null) continue;
    const field = fields[index];
    if (!field) {
      parts.push('\\N');
      continue;
    }
    const room = Buffer.alloc(redactor.fixedLength < 0 ? field.length : redactor.fixedLength);
    const length = redactor.write(field, 0, field.length, room, 0);
    // eslint-disable-next-line no-control-regex -- these are the characters that COPY escapes
    parts.push(
      room
        .toString('latin1', 0, length)
        .replace(/[\\\b\f\n\r\t\v]/g, (character) => ESCAPED[character] ?? character),
    );
  }
  return Buffer.from(`${parts.join('\t')}\n`, 'latin1');
};
