/** The hashes that digests are made of, as SQL: of a row, and of its key, which says in which bucket it is. */

import { chain } from './chain.ts';
import type { SqlContext } from './sql.ts';
import { valueText } from './value-text.ts';
import type { ComparedColumn, SideName } from './verify-table.ts';

/** A chain nests a call for each column, and the server's stack is limited: wider rows take sha256. */
const MAX_CHAIN = 100;

const isChained = ({ hashing, unit }: SqlContext): boolean =>
  hashing === 'server' && !unit.redacted && unit.columns.length <= MAX_CHAIN;

/** SQL of a row's hash, a bigint that is never NULL. */
export const rowHash = (context: SqlContext): string => {
  const { unit, side, seed } = context;
  const portable = sha256Bits([`'${seed}'::text`, ...texts(unit.columns, side)], 64);
  return isChained(context)
    ? `coalesce(${chain(unit.columns, side, seedNumber(seed))}, ${portable})`
    : portable;
};

/** SQL of the bucket that a row's key is in. */
export const bucketOf = (context: SqlContext, buckets: number): string => {
  const { unit, side, seed } = context;
  const portable = sha256Bits(texts(unit.key, side), 32);
  return isChained(context)
    ? `(coalesce(${chain(unit.key, side, seedNumber(seed))}, ${portable}) & ${buckets - 1})::int4`
    : `(${portable} & ${buckets - 1})::int4`;
};

const texts = (columns: readonly ComparedColumn[], side: SideName): string[] =>
  columns.map((column) => valueText(column, side));

/** The first bits of sha256 over the texts in UTF-8, framed as record_send frames them (see record-bytes.ts). */
const sha256Bits = (parts: readonly string[], bits: 32 | 64): string =>
  `('x' || encode(substr(sha256(record_send(ROW(${parts.join(', ')}))), 1, ${bits / 8}), 'hex'))` +
  `::bit(${bits})::${bits === 64 ? 'int8' : 'int4'}`;

const seedNumber = (seed: string): bigint => BigInt.asIntN(64, BigInt(`0x0${seed}`));
