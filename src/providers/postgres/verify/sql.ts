/**
 * The SQL of a comparison. Values stand in the statements as literals, because COPY takes no parameters; none of them is
 * a secret or a redacted value.
 */

import type { Candidate, Chunk } from '../../../core/validation/compare/side.ts';
import { ident, literal, qualified } from '../quote.ts';
import type { Hashing } from './hashing.ts';
import { bucketOf, rowHash } from './row-hash.ts';
import type { TableUnit } from './unit.ts';
import { isReadable, rawText, valueText } from './value-text.ts';
import type { ComparedColumn, SideName } from './verify-table.ts';

export interface SqlContext {
  readonly unit: TableUnit;
  readonly side: SideName;
  /** Columns that chunks are cut by; empty for one chunk that is the whole table. */
  readonly range: readonly ComparedColumn[];
  /** Hexadecimal digits that every row's hash begins with. */
  readonly seed: string;
  readonly hashing: Hashing;
  /** Rows of this range of the column alone, [lower, upper) in text; null is open. */
  readonly within?: {
    readonly column: ComparedColumn;
    readonly lower: string | null;
    readonly upper: string | null;
  };
}

/** Rows of the table itself: children of inheritance are tables of their own, partitions are not. */
const fromTable = ({ unit, side }: SqlContext): string => {
  const table = unit.table[side];
  return `${table.partitioned ? '' : 'ONLY '}${qualified(table)} AS t`;
};

const typeOf = (column: ComparedColumn, side: SideName): string => {
  const { schema, name } = column[side];
  return `${ident(schema)}.${ident(name)}`;
};

/** Operators of user-defined types may not be found under the fixed search path: those are compared by their text. */
const isBuiltIn = (column: ComparedColumn, side: SideName): boolean => column[side].schema === 'pg_catalog';

/** Rows that the links carry, of the window. */
const scopeCondition = (context: SqlContext): string[] => [
  ...tenantCondition(context),
  ...windowCondition(context),
  ...withinCondition(context),
];

const withinCondition = ({ within, side }: SqlContext): string[] => {
  if (!within) return [];
  const column = `t.${ident(within.column[side].column)}`;
  return [
    ...(within.lower === null ? [] : [`${column} >= ${literal(within.lower)}`]),
    ...(within.upper === null ? [] : [`${column} < ${literal(within.upper)}`]),
  ];
};

/** The literal takes the column's own type, as in the predicate of the copy. */
const windowCondition = ({ unit, side }: SqlContext): string[] => {
  const { window } = unit.table;
  if (!window) return [];
  const column = `t.${ident(unit.table[side].windowColumn ?? window.column)}`;
  return [
    ...(window.from === null ? [] : [`${column} >= ${literal(window.from)}`]),
    ...(window.to === null ? [] : [`${column} < ${literal(window.to)}`]),
  ];
};

const tenantCondition = ({ unit, side }: SqlContext): string[] => {
  if (!unit.scope) return [];
  const { column, values } = unit.scope;
  const isTyped = isBuiltIn(column, side);
  const value = `t.${ident(column[side].column)}${isTyped ? '' : '::text'}`;
  const type = isTyped ? typeOf(column, side) : 'text';
  const literals = values.map((text) => `${literal(text)}::${type}`);
  return [
    literals.length === 1 ? `${value} = ${literals[0]}` : `${value} = ANY (ARRAY[${literals.join(', ')}])`,
  ];
};

const tuple = (parts: readonly string[]): string =>
  parts.length === 1 ? (parts[0] ?? '') : `(${parts.join(', ')})`;

/**
 * Leading columns that have one value in the whole range are compared by themselves: an index finds such a range with
 * half the work that a comparison of rows takes, and the planner knows how many rows it has.
 */
const rangeCondition = ({ range, side }: SqlContext, { after, upTo }: Bounds): string[] => {
  const fixed = after && upTo ? sharedPrefix(after, upTo) : 0;
  return [
    ...range.slice(0, fixed).map((column, i) => keyIs(column, side, upTo?.[i] ?? '')),
    ...(after ? [rowIs('>', range, side, after, fixed)] : []),
    ...(upTo ? [rowIs('<=', range, side, upTo, fixed)] : []),
  ];
};

type Bounds = Pick<Chunk, 'after' | 'upTo'>;

/** Number of leading columns that two bounds have in common; never all of them. */
const sharedPrefix = (after: readonly string[], upTo: readonly string[]): number => {
  const differs = after.findIndex((value, i) => value !== upTo[i]);
  return differs === -1 ? after.length - 1 : differs;
};

const keyIs = (column: ComparedColumn, side: SideName, value: string): string =>
  `t.${ident(column[side].column)} = ${literal(value)}::${typeOf(column, side)}`;

const rowIs = (
  operator: '>' | '<=',
  range: readonly ComparedColumn[],
  side: SideName,
  values: readonly string[],
  from: number,
): string => {
  const columns = range.slice(from);
  const bound = columns.map((column, i) => `${literal(values[from + i] ?? '')}::${typeOf(column, side)}`);
  return `${tuple(columns.map((column) => `t.${ident(column[side].column)}`))} ${operator} ${tuple(bound)}`;
};

const where = (...conditions: readonly (readonly string[])[]): string => {
  const all = conditions.flat();
  return all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`;
};

const anyOf = (buckets: readonly number[]): string => `= ANY ('{${buckets.join(',')}}'::int[])`;

/** Rows (bucket, count, sum). */
export const digestsSql = (context: SqlContext, chunk: Chunk, only: readonly number[] | null): string => {
  const scope = [...scopeCondition(context), ...rangeCondition(context, chunk)];
  const from = fromTable(context);
  if (context.unit.key.length === 0) {
    const bucket = `(h & ${chunk.buckets - 1})::int`;
    const rows = `SELECT ${rowHash(context)} AS h FROM ${from}${where(scope)} OFFSET 0`;
    const some = only ? ` WHERE ${bucket} ${anyOf(only)}` : '';
    return `SELECT ${bucket}, count(*), sum(h) FROM (${rows}) AS x${some} GROUP BY 1`;
  }
  const bucket = bucketOf(context, chunk.buckets);
  const some = only ? [`${bucket} ${anyOf(only)}`] : [];
  return `SELECT ${bucket}, count(*), sum(${rowHash(context)}) FROM ${from}${where(scope, some)} GROUP BY 1`;
};

/** One row (count, sum) of the whole chunk, which is cheaper than that of its buckets. */
export const totalSql = (context: SqlContext, chunk: Chunk): string => {
  const conditions = where(scopeCondition(context), rangeCondition(context, chunk));
  return `SELECT count(*), coalesce(sum(${rowHash(context)}), 0) FROM ${fromTable(context)}${conditions}`;
};

/** From which table, and which of its rows: those of these buckets; null is all of them. */
export const bucketRowsSql = (
  context: SqlContext,
  chunk: Chunk,
  buckets: readonly number[] | null,
): string => {
  const bucket =
    context.unit.key.length === 0
      ? `(${rowHash(context)} & ${chunk.buckets - 1})::int`
      : bucketOf(context, chunk.buckets);
  const some = buckets ? [`${bucket} ${anyOf(buckets)}`] : [];
  return `FROM ${fromTable(context)}${where(scopeCondition(context), some)}`;
};

/** Changes with every write of the row at the source, also one that leaves all values as they are. */
export const VERSION = `hashtextextended(concat_ws(' ', t.tableoid, t.ctid, t.xmin), 0)`;

/** Rows (count, sum, version, tenant, key columns or row hash…). */
const keysSelect = (context: SqlContext): { select: string; group: string } => {
  const { side } = context;
  const version = side === 'source' ? `sum(${VERSION})` : 'NULL';
  const grouped = identitySql(context);
  return {
    select: `SELECT count(*), sum(${rowHash(context)}), ${version}, ${grouped.join(', ')}`,
    group: ` GROUP BY ${grouped.map((_, i) => i + 4).join(', ')}`,
  };
};

export const keysSql = (context: SqlContext, chunk: Chunk, buckets: readonly number[]): string => {
  const { select, group } = keysSelect(context);
  const bucket =
    context.unit.key.length === 0
      ? `(${rowHash(context)} & ${chunk.buckets - 1})::int`
      : bucketOf(context, chunk.buckets);
  const conditions = [
    ...scopeCondition(context),
    ...rangeCondition(context, chunk),
    `${bucket} ${anyOf(buckets)}`,
  ];
  return `${select} FROM ${fromTable(context)}${where(conditions)}${group}`;
};

export const rowsSql = (context: SqlContext, candidates: readonly Candidate[]): string => {
  const { select, group } = keysSelect(context);
  return `${select} ${candidatesFrom(context, candidates)}${group}`;
};

/** From which table, and which of its rows: those of the candidates. */
export const candidatesFrom = (context: SqlContext, candidates: readonly Candidate[]): string =>
  context.unit.key.length === 0
    ? `FROM ${fromTable(context)}${where(scopeCondition(context), [hashCondition(context, candidates)])}`
    : `FROM ${fromTable(context)} ${candidateJoin(context, candidates, () => true)}${where(scopeCondition(context))}`;

/** A row without key is known by its hash. */
const hashCondition = (context: SqlContext, candidates: readonly Candidate[]): string =>
  `${rowHash(context)} = ANY ('{${candidates.map(({ key }) => key[0] ?? '').join(',')}}'::bigint[])`;

/** What a row is told by: tenant and key columns as text, or the row's hash where it has no key. */
export const identitySql = (context: SqlContext): readonly string[] => {
  const { unit, side } = context;
  const exact = (column: ComparedColumn): string => `${valueText(column, side)} COLLATE "C"`;
  const tenant = unit.scope ? exact(unit.scope.column) : 'NULL::text';
  const key = unit.key.length === 0 ? [`(${rowHash(context)})::text`] : unit.key.map(exact);
  return [tenant, ...key];
};

/**
 * Joins the keys of the candidates: by value, so that an index serves, where both sides have the same built-in type;
 * and always by text, which alone decides.
 */
const candidateJoin = (
  { unit, side }: SqlContext,
  candidates: readonly Candidate[],
  useColumn: (column: ComparedColumn) => boolean,
): string => {
  const columns = unit.key.map((column, i) => ({ column, i })).filter(({ column }) => useColumn(column));
  const distinct = new Map(
    candidates.map(({ key }) => [JSON.stringify(columns.map(({ i }) => key[i])), key]),
  );
  const lists = columns.map(
    ({ i }) => `ARRAY[${[...distinct.values()].map((key) => nullable(key[i] ?? null)).join(', ')}]::text[]`,
  );
  const conditions = columns.flatMap(({ column, i }) => {
    const text = `${valueText(column, side)} COLLATE "C" IS NOT DISTINCT FROM want.k${i}`;
    const isIndexed =
      isBuiltIn(column, side) &&
      column.source.name === column.target.name &&
      isReadable(column, side) &&
      column.source.notNull &&
      column.target.notNull;
    return isIndexed
      ? [`t.${ident(column[side].column)} = want.k${i}::${typeOf(column, side)}`, text]
      : [text];
  });
  const names = columns.map(({ i }) => `k${i}`).join(', ');
  return `JOIN unnest(${lists.join(', ')}) AS want (${names}) ON ${conditions.join(' AND ')}`;
};

const nullable = (text: string | null): string => (text === null ? 'NULL' : literal(text));

/**
 * The text values of the range columns of the last row of the next chunk; no row when the rest is one chunk.
 * @param within leading columns in which the chunk has the values of `after`
 */
export const nextBoundSql = (
  context: SqlContext,
  after: readonly string[] | null,
  chunkRows: number,
  within: number,
): string => {
  const { range, side } = context;
  const columns = range.map((column) => `t.${ident(column[side].column)}`);
  const names = columns.map((_, i) => `k${i}`);
  const rest = after
    ? [
        ...range.slice(0, within).map((column, i) => keyIs(column, side, after[i] ?? '')),
        rowIs('>', range, side, after, within),
      ]
    : [];
  const from = `${fromTable(context)}${where(scopeCondition(context), rest)}`;
  // One value is made a text, not those of all rows before it.
  return (
    `SELECT ${names.map((name) => `${name}::text`).join(', ')} FROM (SELECT ${columns.join(', ')}` +
    ` FROM ${from} ORDER BY ${columns.join(', ')} OFFSET ${chunkRows - 1} LIMIT 1) AS bound (${names.join(', ')})`
  );
};

const isPlain = (column: ComparedColumn): boolean => column.action.kind === 'allow';

/**
 * COPY of the unit's columns for the runner, as text in binary framing, with the row's version behind them.
 * @param more further expressions, last
 */
export const copySql = (
  context: SqlContext,
  chunk: Chunk,
  candidates: readonly Candidate[] | null,
  more: readonly string[] = [],
): string => {
  const { unit } = context;
  const values = unit.columns.map((column) =>
    isPlain(column) ? valueText(column, 'source') : rawText(column),
  );
  const join = candidates && unit.key.some(isPlain) ? ` ${candidateJoin(context, candidates, isPlain)}` : '';
  const hashes =
    candidates && unit.key.length === 0 && !unit.redacted ? [hashCondition(context, candidates)] : [];
  const conditions = where(scopeCondition(context), rangeCondition(context, chunk), hashes);
  const select = `SELECT ${[...values, `${VERSION}::text`, ...more].join(', ')} FROM ${fromTable(context)}${join}${conditions}`;
  return `COPY (${select}) TO STDOUT (FORMAT binary)`;
};
