/**
 * How a table is cut. By ranges of its key where both servers are sure to order the key alike: each chunk is then one
 * short statement on an index. Otherwise, and that is every text key under a locale's collation, because two servers
 * may order the same texts differently, the table is one chunk whose buckets are hashes of the key: one scan, order does
 * not matter, and memory is bounded by the number of buckets.
 */

import type { Client } from 'pg';
import type { Chunk } from '../../../core/validation/compare/side.ts';
import { nextBoundSql, type SqlContext } from './sql.ts';
import type { TableUnit } from './unit.ts';
import type { ComparedColumn, ValueType } from './verify-table.ts';

/** Types whose order is the same on every server, whatever its version, locale or encoding. */
const ORDERED_ALIKE = new Set([
  'bool',
  'bytea',
  'date',
  'int2',
  'int4',
  'int8',
  'numeric',
  'oid',
  'time',
  'timestamp',
  'timestamptz',
  'uuid',
]);
const TEXTS = new Set(['text', 'varchar', 'bpchar']);
const BYTE_COLLATIONS = new Set([
  'pg_catalog."C"',
  'pg_catalog."POSIX"',
  'pg_catalog.ucs_basic',
  'pg_catalog.pg_c_utf8',
]);

/** Buckets of a chunk of a range; a difference is narrowed down to this part of the chunk before keys are read. */
const RANGE_BUCKETS = 64;
/** A bucket of a whole table has about this many rows. */
const ROWS_PER_BUCKET = 64;
const MAX_BUCKETS = 65_536;
const UNKNOWN_ROWS = 1_000_000;

/**
 * Columns that the unit can be cut by; empty when the order cannot be trusted. A tenant column with one value decides
 * nothing and is left out, so that a text tenant id does not cost the ranges of the id behind it.
 * @param textsByBytes whether both databases order texts without explicit collation by their bytes
 */
export const rangeColumns = (unit: TableUnit, textsByBytes: boolean): readonly ComparedColumn[] => {
  const columns = unit.key.filter(
    (column) => !(unit.scope?.values.length === 1 && column.name === unit.scope.column.name),
  );
  const isTrusted = (column: ComparedColumn): boolean =>
    column.action.kind === 'allow' &&
    column.source.name === column.target.name &&
    column.source.notNull &&
    column.target.notNull &&
    ordersAlike(column.source, textsByBytes) &&
    ordersAlike(column.target, textsByBytes);
  return columns.every(isTrusted) ? columns : [];
};

const ordersAlike = ({ schema, name, collation }: ValueType, textsByBytes: boolean): boolean => {
  if (schema !== 'pg_catalog') return false;
  if (ORDERED_ALIKE.has(name)) return true;
  return TEXTS.has(name) && (collation === null ? textsByBytes : BYTE_COLLATIONS.has(collation));
};

/** The chunks of a unit behind `from`, each found when the one before is done, from the keys that the source has then. */
export async function* chunksOf(
  source: Client,
  context: SqlContext,
  chunkRows: number,
  from: readonly string[] | null,
  signal: AbortSignal,
): AsyncGenerator<Chunk> {
  if (context.range.length === 0) {
    yield { after: null, upTo: null, buckets: wholeBuckets(context.unit.table.estimatedRows) };
    return;
  }
  let after = from;
  for (;;) {
    signal.throwIfAborted();
    const upTo: readonly string[] | null = await nextBound(source, context, after, chunkRows);
    yield { after, upTo, buckets: RANGE_BUCKETS };
    if (upTo === null) return;
    after = upTo;
  }
}

/**
 * Looks for a full chunk among the rows that share all but the last column with `after` first, because such a range is
 * cheap to find and to read; where there is none, whatever rows come next.
 */
const nextBound = async (
  source: Client,
  context: SqlContext,
  after: readonly string[] | null,
  chunkRows: number,
): Promise<readonly string[] | null> => {
  const leading = context.range.length - 1;
  for (const within of after && leading > 0 ? [leading, 0] : [0]) {
    const text = nextBoundSql(context, after, chunkRows, within);
    const { rows } = await source.query<string[]>({ text, rowMode: 'array' });
    if (rows[0]) return rows[0];
  }
  return null;
};

/** Buckets of a part with about so many rows; -1 where that is not known. */
export const wholeBuckets = (estimatedRows: number): number => {
  const rows = estimatedRows < 0 ? UNKNOWN_ROWS : estimatedRows;
  const wanted = 2 ** Math.ceil(Math.log2(Math.max(1, rows / ROWS_PER_BUCKET)));
  return Math.min(MAX_BUCKETS, Math.max(RANGE_BUCKETS, wanted));
};
