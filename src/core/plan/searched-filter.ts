/**
 * Row filters of many values, in which the server searches instead of comparing one by one:
 * `('{"a": 0, "b": 0}'::jsonb ? tenant_id)`. What is searched for is text, equal exactly where the values are, so each
 * type says how a value becomes a key and how a key is read back.
 */

export interface SearchedForm {
  /** What is searched for, of a quoted column: by functions that a row filter may have, built-in and immutable. */
  readonly sql: (column: string) => string;
  /** How the server writes that; the column is its first group. */
  readonly written: RegExp;
  /** Null for a text that may not be how the type itself writes the value. */
  readonly keyOf: (value: string) => string | null;
  readonly valueOf: (key: string) => string;
}

const COLUMN = String.raw`("(?:[^"]|"")+"|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`;

const TEXT: SearchedForm = {
  sql: (column) => `${column}::pg_catalog.text`,
  written: new RegExp(String.raw`^\(?${COLUMN}\)?(?:::text)?$`),
  keyOf: (value) => value,
  valueOf: (key) => key,
};

/** Hexadecimal digits of its 64 bits, whatever the width of the column. */
const INTEGER: SearchedForm = {
  sql: (column) => `pg_catalog.to_hex(${column}::pg_catalog.int8)`,
  written: new RegExp(String.raw`^to_hex\(\(?${COLUMN}\)?(?:::bigint)?\)$`),
  keyOf: (value) => (/^-?\d{1,18}$/.test(value) ? BigInt.asUintN(64, BigInt(value)).toString(16) : null),
  valueOf: (key) => String(BigInt.asIntN(64, BigInt(`0x${key}`))),
};

const UUID: SearchedForm = {
  sql: (column) => `pg_catalog.encode(pg_catalog.uuid_send(${column}), 'hex')`,
  written: new RegExp(String.raw`^encode\(uuid_send\(${COLUMN}\), 'hex'::text\)$`),
  keyOf: (value) =>
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
      ? value.replaceAll('-', '').toLowerCase()
      : null,
  valueOf: (key) => key.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
};

/** By the column's type: text, varchar; int2, int4, int8; uuid. Others are listed. */
export const SEARCHED_FORMS: ReadonlyMap<number, SearchedForm> = new Map([
  [25, TEXT],
  [1043, TEXT],
  [21, INTEGER],
  [23, INTEGER],
  [20, INTEGER],
  [2950, UUID],
]);

const SEARCH = /^\('((?:[^']|'')*)'::jsonb \? (.*)\)$/s;

/** Column, as the server writes its name, and values of such a filter; null where the text is another. */
export const readSearch = (text: string): { identifier: string; values: string[] } | null => {
  const [, object, searched = ''] = SEARCH.exec(text) ?? [];
  if (object === undefined) return null;
  for (const { written, valueOf } of [UUID, INTEGER, TEXT]) {
    const identifier = written.exec(searched)?.[1];
    if (identifier === undefined) continue;
    return {
      identifier,
      values: Object.keys(JSON.parse(object.replaceAll("''", "'")) as object).map(valueOf),
    };
  }
  return null;
};
