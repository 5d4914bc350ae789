/**
 * Cutting a table into chunks by ranges of one column. Only columns whose order the program can judge as the server
 * does are used (integers and UUIDs): a streamed change must be told to the chunk that its row was copied in.
 */

import type { TableFacts } from '../topology/table.ts';

export type CutKind = 'integer' | 'uuid';

export interface CutColumn {
  readonly name: string;
  readonly kind: CutKind;
}

/** [lower, upper) in text form; null is open. */
export interface ChunkRange {
  readonly lower: string | null;
  readonly upper: string | null;
}

const KIND_BY_OID: Readonly<Record<number, CutKind>> = {
  20: 'integer',
  21: 'integer',
  23: 'integer',
  2950: 'uuid',
};

/**
 * The column to cut by: of the columns that every change names, the last one that can be judged, because the first of a
 * composite key is mostly the tenant. Null where none fits.
 */
export const cutColumn = (table: TableFacts): CutColumn | null => {
  const named = table.identity === 'full' ? table.primaryKey : table.identityColumns;
  for (const name of named.toReversed()) {
    const column = table.columns.find((one) => one.name === name);
    const kind = column && KIND_BY_OID[column.typeOid];
    if (kind) return { name, kind };
  }
  return null;
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
