/**
 * A hash of 64 bits over several values by the server's own functions: the hash of each value is the seed of the next,
 * so that it says which values stand together in a row, and in which order. (Sums of independent hashes, as
 * hash_record_extended makes them, would not: values swapped between two rows would cancel out.) Every step is injective
 * but for chance, once in 2^64: functions that are not, such as that of numeric, which leaves out the sign, are not used.
 */

import { ident } from '../quote.ts';
import { valueText } from './value-text.ts';
import type { ComparedColumn, SideName } from './verify-table.ts';

/** How values of a type are hashed: `value` is not NULL, `seed` an expression. Each gives a bigint. */
interface Step {
  readonly hash: (value: string, seed: string) => string;
  /** Stands in for NULL, which is told apart by a bit of its own. */
  readonly instead: string;
}

const INT4: Step = { hash: (value, seed) => `hashint4extended(${value}::int4, ${seed})`, instead: '0' };

/** hashint8extended folds its halves into one; so it is given one after the other. */
const INT8: Step = {
  hash: (value, seed) =>
    `hashint8extended(${value}::int8 & 4294967295, hashint8extended(${value}::int8 >> 32, ${seed}))`,
  instead: '0',
};

/** Equal for -0 and 0, and for every NaN. */
const FLOAT: Step = { hash: (value, seed) => `hashfloat8extended(${value}::float8, ${seed})`, instead: '0' };

/** The hash folds the halves of the microseconds, and seconds as float8 are exact but for the nearest of neighbours. */
const TIMESTAMP: Step = {
  hash: (value, seed) =>
    `hashfloat8extended(date_part('epoch', ${value}::timestamp), timestamp_hash_extended(${value}::timestamp, ${seed}))`,
  instead: "'epoch'::timestamp",
};

const BOOL: Step = { hash: INT4.hash, instead: 'false' };

const UUID: Step = {
  hash: (value, seed) => `uuid_hash_extended(${value}, ${seed})`,
  instead: "'00000000-0000-0000-0000-000000000000'::uuid",
};

/** Before PostgreSQL 18 only elements of arrays can be hashed as they are. */
const BYTEA: Step = {
  hash: (value, seed) => `hash_array_extended(ARRAY[${value}], ${seed})`,
  instead: "''::bytea",
};

const TEXT: Step = {
  hash: (value, seed) => `hashtextextended(${value} COLLATE "C", ${seed})`,
  instead: "''",
};

/** By built-in type, where both sides have the same. */
const STEPS: Readonly<Record<string, Step>> = {
  bool: BOOL,
  bytea: BYTEA,
  float4: FLOAT,
  float8: FLOAT,
  int2: INT4,
  int4: INT4,
  int8: INT8,
  timestamp: TIMESTAMP,
  timestamptz: TIMESTAMP,
  uuid: UUID,
};
const INTEGERS = new Set(['int2', 'int4', 'int8']);

/** null: by its text. */
const stepOf = ({ source, target }: ComparedColumn): Step | null => {
  if (source.schema !== 'pg_catalog' || target.schema !== 'pg_catalog') return null;
  if (source.name === target.name) return STEPS[source.name] ?? null;
  return INTEGERS.has(source.name) && INTEGERS.has(target.name) ? INT8 : null;
};

/** Bits of one int4 that say which values are NULL. */
const FLAGS = 31;

/**
 * SQL of the hash; NULL only where a column that was declared NOT NULL on both sides is NULL all the same.
 * @param seed a bigint
 */
export const chain = (columns: readonly ComparedColumn[], side: SideName, seed: bigint): string => {
  const nullable = columns.filter(({ source, target }) => !source.notNull || !target.notNull);
  let hash = `'${seed}'::int8`;
  for (let at = 0; at < nullable.length; at += FLAGS) {
    const flags = nullable
      .slice(at, at + FLAGS)
      .map((column, bit) => `(t.${ident(column[side].column)} IS NULL)::int4 << ${bit}`);
    hash = `hashint4extended(${flags.map((flag) => `(${flag})`).join(' | ')}, ${hash})`;
  }
  for (const column of columns) {
    const step = stepOf(column);
    const value = step ? `t.${ident(column[side].column)}` : valueText(column, side);
    const { hash: next, instead } = step ?? TEXT;
    hash = next(nullable.includes(column) ? `coalesce(${value}, ${instead})` : `(${value})`, hash);
  }
  return hash;
};
