/**
 * Digests of sets of rows that do not depend on the order of rows. A row's hash is 64 bits over the run's seed and the
 * row's values in their order, so that a row that differs goes unseen once in 2^64 times, and the next run, with another
 * seed, throws new dice.
 */

export interface Digest {
  readonly rows: number;
  /** Sum of the signed 64-bit hashes of the rows: a row that is there twice counts twice. */
  readonly sum: bigint;
}

export const NO_ROWS: Digest = { rows: 0, sum: 0n };

export const sameDigest = (a: Digest, b: Digest): boolean => a.rows === b.rows && a.sum === b.sum;

export const addRow = (digest: Digest, hash: bigint): Digest => ({
  rows: digest.rows + 1,
  sum: digest.sum + hash,
});

/** As a plan keeps it: rows and sum; null for no row. */
export const digestText = (digest: Digest | undefined): string | null =>
  digest ? `${digest.rows}:${digest.sum}` : null;

/** All rows that share one key: one row, none, or several where the side has no unique key. */
export interface KeyDigest extends Digest {
  /** Text of the key's columns after policy; of a table without key, the hash of the row. */
  readonly key: readonly (string | null)[];
  /** Value of the tenant column; null where the link has the whole table. */
  readonly tenant: string | null;
  /** Changes whenever the row is written at the source, even with the same values; "" on the target. */
  readonly version: string;
}

/** Identifies a key within one table and one set of tenants. */
export const keyId = (key: readonly (string | null)[], tenant: string | null): string =>
  JSON.stringify([tenant, ...key]);
