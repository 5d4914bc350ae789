/**
 * Rows of a snapshot's parts. All of them are read as COPY's text format, redacted as the stream's rows are, and
 * written in the format that was asked for; a restore turns them back into COPY's text. Formats: PostgreSQL
 * documentation, COPY, "Text Format" and "CSV Format"; ndjson is one object a line, numbers and booleans as JSON has
 * them and everything else as the server's text.
 */

import { Buffer } from 'node:buffer';
import type { TuplePlan } from '../change/tuple-plan.ts';

/** Writes one row, from its fields as they leave; null is NULL. */
export type RowWriter = (fields: readonly (string | null)[]) => string;

const NEEDS_CSV_QUOTES = /[",\n\r]|^$|^\\\.$/;

/** An empty text is quoted, and so told from NULL. */
export const csvRow: RowWriter = (fields) =>
  `${fields
    .map((field) =>
      field === null ? '' : NEEDS_CSV_QUOTES.test(field) ? `"${field.replaceAll('"', '""')}"` : field,
    )
    .join(',')}\n`;

/** Types whose text is JSON as it stands; NaN and infinities are not, and stay text. */
const JSON_TYPES = /^(smallint|integer|bigint|real|double precision|numeric.*|boolean)$/;
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** @param types as format_type names them */
export const ndjsonRow = (names: readonly string[], types: readonly string[]): RowWriter => {
  const keys = names.map((name) => `${JSON.stringify(name)}:`);
  const bare = types.map((type) => JSON_TYPES.test(type));
  return (fields) =>
    `{${fields.map((field, at) => `${keys[at] ?? ''}${jsonValue(field, bare[at] === true)}`).join(',')}}\n`;
};

const jsonValue = (field: string | null, isBare: boolean): string => {
  if (field === null) return 'null';
  if (isBare && (field === 't' || field === 'f')) return field === 't' ? 'true' : 'false';
  return isBare && JSON_NUMBER.test(field) ? field : JSON.stringify(field);
};

/** Fields of one row, redacted, as text; columns that are dropped are left out. */
export const leavingFields = (fields: readonly (Buffer | null)[], plan: TuplePlan): (string | null)[] => {
  const leaving: (string | null)[] = [];
  for (const [at, { redactor }] of plan.fields.entries()) {
    if (redactor === null) continue;
    const field = fields[at];
    if (!field) {
      leaving.push(null);
      continue;
    }
    const room = Buffer.alloc(redactor.fixedLength < 0 ? field.length : redactor.fixedLength);
    leaving.push(room.toString('utf8', 0, redactor.write(field, 0, field.length, room, 0)));
  }
  return leaving;
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

/** One line of COPY's text format. */
export const copyLine = (fields: readonly (string | null)[]): string =>
  `${fields
    .map((field) =>
      field === null
        ? '\\N'
        : // eslint-disable-next-line no-control-regex -- these are the characters that COPY escapes
          field.replace(/[\\\b\f\n\r\t\v]/g, (character) => ESCAPED[character] ?? character),
    )
    .join('\t')}\n`;

/** A number keeps the digits that it was written with. */
export const ndjsonFields = (line: string, names: readonly string[]): (string | null)[] => {
  const row = JSON.parse(line, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value,
  ) as Record<string, unknown>;
  return names.map((name) => {
    const value = row[name] ?? null;
    if (value === null) return null;
    if (typeof value === 'boolean') return value ? 't' : 'f';
    return typeof value === 'string' ? value : JSON.stringify(value);
  });
};

/** Rows of CSV with whole lines only; quoted fields may hold line ends. Keeps what is not a whole row yet. */
export class CsvRows {
  #rest = '';

  /** @returns rows that are whole by now */
  add(text: string): (string | null)[][] {
    const all = this.#rest + text;
    const rows: (string | null)[][] = [];
    let row: (string | null)[] = [];
    let from = 0;
    let at = 0;
    while (at < all.length) {
      const [field, end] = fieldAt(all, at);
      if (end < 0 || end >= all.length) break;
      row.push(field);
      at = end + 1;
      if (all[end] !== '\n') continue;
      rows.push(row);
      row = [];
      from = at;
    }
    this.#rest = all.slice(from);
    return rows;
  }

  get isWhole(): boolean {
    return this.#rest === '';
  }
}

/** A field, and where the separator behind it is; -1 while that has not come. */
const fieldAt = (text: string, at: number): [string | null, number] => {
  if (text[at] !== '"') {
    const comma = text.indexOf(',', at);
    const line = text.indexOf('\n', at);
    const end = comma < 0 ? line : line < 0 ? comma : Math.min(comma, line);
    return end < 0 ? [null, -1] : [end === at ? null : text.slice(at, end), end];
  }
  let end = at + 1;
  for (;;) {
    end = text.indexOf('"', end);
    if (end < 0 || end + 1 >= text.length) return [null, -1];
    if (text[end + 1] !== '"') return [text.slice(at + 1, end).replaceAll('""', '"'), end + 1];
    end += 2;
  }
};
