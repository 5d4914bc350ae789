/**
 * Cutting a table into chunks: by ranges of a key column, which a resumed copy can go on with under another snapshot, or
 * by ranges of pages, which it cannot, because rows move between pages (CORRECTNESS 7).
 */

import type { TableFacts } from '../topology/table.ts';

export type CutKind = 'integer' | 'uuid';

export interface CutColumn {
  readonly name: string;
  readonly kind: CutKind;
}

/** Name under which ranges of pages are stored. */
export const PAGES = 'ctid';

/** [lower, upper) in text form; null is open. */
export interface ChunkRange {
  readonly lower: string | null;
  readonly upper: string | null;
}

/** Types whose order the program can judge as the server does: a streamed change must be told to its row's chunk. */
const KIND_BY_OID: Readonly<Record<number, CutKind>> = {
  20: 'integer',
  21: 'integer',
  23: 'integer',
  2950: 'uuid',
};

/** Below this, rows in another order than the key's are in memory soon enough. */
export const ORDER_MATTERS_BYTES = 256 * 2 ** 20;
/** pg_stats.correlation from which reading by key is about reading by page. */
const CORRELATED = 0.8;

/**
 * How to cut the table: a key column, pages, or not at all (null). A range of the column must be one of an index, behind
 * nothing but the tenant's column; else every chunk would read the whole table.
 * @param scopeColumn the tenant's column when rows are filtered by it
 */
export const chooseCut = (table: TableFacts, scopeColumn: string | null): CutColumn | typeof PAGES | null => {
  const column = leadingColumns(table, scopeColumn)
    .map((name) => cutColumnNamed(table, name))
    .find((one) => one !== null);
  if (column && (table.kind === 'p' || table.bytes < ORDER_MATTERS_BYTES || isCorrelated(table, column)))
    return column;
  return table.kind === 'r' ? PAGES : null;
};

/**
 * How to cut a table that is repaired: by a key column that every change names, whatever the order of its pages, because
 * a range is compared before it is read; or not at all where rows of two ranges could meet in a unique constraint while
 * one of them is not mended yet.
 */
export const chooseRepairCut = (
  source: TableFacts,
  target: TableFacts,
  scopeColumn: string | null,
): CutColumn | null =>
  mixesSnapshots(source) && mixesSnapshots(target)
    ? (leadingColumns(source, scopeColumn)
        .map((name) => cutColumnNamed(source, name))
        .find((one) => one !== null) ?? null)
    : null;

const isCorrelated = (table: TableFacts, { name }: CutColumn): boolean =>
  Math.abs(table.columns.find((one) => one.name === name)?.correlation ?? 0) >= CORRELATED;

/** Columns that an index leads with, the tenant's set aside. */
const leadingColumns = (table: TableFacts, scopeColumn: string | null): string[] =>
  table.indexes
    .filter((index) => index.unique && index.valid && !index.partialOrExpression && !index.exclusion)
    .flatMap((index) => index.columns.find((name) => name !== scopeColumn) ?? []);

/** The named column, if every change names it and its order can be judged. */
export const cutColumnNamed = (table: TableFacts, name: string): CutColumn | null => {
  const named = table.identity === 'full' ? table.primaryKey : table.identityColumns;
  if (!named.includes(name)) return null;
  const kind = KIND_BY_OID[table.columns.find((one) => one.name === name)?.typeOid ?? 0];
  return kind === undefined ? null : { name, kind };
};

/**
 * Whether rows of two snapshots could meet in a unique constraint that is not the key: then an interrupted copy begins
 * the table anew instead of going on by ranges.
 */
export const mixesSnapshots = (table: TableFacts): boolean =>
  !table.indexes.some((index) => (index.unique || index.exclusion) && !index.primary);

/** A value that compares as the server orders it. */
export type CutValue = bigint | string;

export const parseCutValue = (kind: CutKind, text: string): CutValue =>
  kind === 'integer' ? BigInt(text) : text.replaceAll('-', '').toLowerCase();

/** The value of a field as it was sent, in binary or text. */
export const readCutValue = (
  kind: CutKind,
  bytes: Buffer,
  start: number,
  end: number,
  binary: boolean,
): CutValue => {
  if (!binary) return parseCutValue(kind, bytes.toString('latin1', start, end));
  if (kind === 'uuid') return bytes.toString('hex', start, end);
  const length = end - start;
  return length === 8
    ? bytes.readBigInt64BE(start)
    : BigInt(length === 4 ? bytes.readInt32BE(start) : bytes.readInt16BE(start));
};

export const inRange = (value: CutValue, lower: CutValue | null, upper: CutValue | null): boolean =>
  (lower === null || value >= lower) && (upper === null || value < upper);
