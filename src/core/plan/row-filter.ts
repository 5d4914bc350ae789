/**
 * Reads back a publication's row filter from the server's own text of it, for the forms that a filter of ours can take:
 * `(tenant_id = 'a'::text)`, `(tenant_id = ANY (ARRAY['a'::text, 'b'::text]))`, `(tenant_id = ANY ('{a,b}'::text[]))`
 * and the same with numbers or a cast column, and many values as keys of an object (searched-filter.ts).
 */

import { readSearch } from './searched-filter.ts';

export interface RowFilter {
  readonly column: string;
  /** In order, without repetition. */
  readonly values: readonly string[];
}

const COLUMN = /^[\s(]*("(?:[^"]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)/;
const QUOTED = /'((?:[^']|'')*)'/g;
/** A quoted literal, a cast (skipped), or a number. */
const TOKEN = /'((?:[^']|'')*)'|::(?:"[^"]+"|[A-Za-z_. ]+)(?:\(\d+(?:,\d+)?\))?(?:\[\])?|(-?\d+)/g;

/** Null when the text has another form: the filter is then taken for different from any that is wanted. */
export const readRowFilter = (text: string): RowFilter | null => {
  const search = readSearch(text);
  if (search) return { column: unquoted(search.identifier), values: search.values.toSorted() };
  const match = COLUMN.exec(text);
  const equals = text.indexOf('=');
  if (!match || equals < 0 || /\b(AND|OR|NOT)\b/.test(text.replace(QUOTED, ''))) return null;
  const values = literals(text.slice(equals + 1));
  return values === null
    ? null
    : { column: unquoted(match[1] ?? ''), values: [...new Set(values)].toSorted() };
};

const unquoted = (identifier: string): string =>
  identifier.startsWith('"') ? identifier.slice(1, -1).replaceAll('""', '"') : identifier;

const literals = (text: string): string[] | null => {
  const quoted = [...text.matchAll(QUOTED)].map((match) => (match[1] ?? '').replaceAll("''", "'"));
  if (/'::[^']*\[\]\)*$/.test(text.trim()) && quoted.length === 1 && !text.includes('ARRAY['))
    return arrayElements(quoted[0] ?? '');
  const values = [...text.matchAll(TOKEN)]
    .filter((match) => match[1] !== undefined || match[2] !== undefined)
    .map((match) => (match[2] === undefined ? (match[1] ?? '').replaceAll("''", "'") : match[2]));
  return values.length > 0 ? values : null;
};

/** Elements of an array literal of one dimension without NULLs: PostgreSQL documentation, 8.15.6. */
const arrayElements = (text: string): string[] | null => {
  if (!text.startsWith('{') || !text.endsWith('}')) return null;
  return [...text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/g)].map((match) =>
    match[1] === undefined ? (match[2] ?? '') : match[1].replace(/\\(.)/g, '$1'),
  );
};

export const sameRowFilter = (
  text: string | null,
  wanted: { readonly column: string; readonly values: readonly string[] } | null,
): boolean => {
  if (text === null || wanted === null) return text === wanted;
  const read = readRowFilter(text);
  const values = [...new Set(wanted.values)].toSorted();
  return (
    read !== null &&
    read.column === wanted.column &&
    read.values.length === values.length &&
    values.every((value, at) => value === read.values[at])
  );
};
