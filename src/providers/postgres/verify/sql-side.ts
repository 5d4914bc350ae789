/** A side whose digests are computed inside its server: only sums, and keys of what differs, cross the network. */

import type { Client } from 'pg';
import { keyId, type Digest, type KeyDigest } from '../../../core/validation/compare/digest.ts';
import type { Side } from '../../../core/validation/compare/side.ts';
import { digestsSql, keysSql, rowsSql, totalSql, type SqlContext } from './sql.ts';

type TotalRow = [rows: string, sum: string];
type DigestRow = [bucket: number, rows: string, sum: string];
type KeyRow = [
  rows: string,
  sum: string,
  version: string | null,
  tenant: string | null,
  ...key: (string | null)[],
];

export const sqlSide = (client: Client, context: SqlContext): Side => {
  const select = async <R extends unknown[]>(text: string): Promise<R[]> =>
    (await client.query<R>({ text, rowMode: 'array' })).rows;
  return {
    total: async (chunk, signal) => {
      signal.throwIfAborted();
      const [row] = await select<TotalRow>(totalSql(context, chunk));
      return digestOf(row?.[0] ?? '0', row?.[1] ?? '0');
    },
    digests: async (chunk, only, signal) => {
      signal.throwIfAborted();
      const rows = await select<DigestRow>(digestsSql(context, chunk, only));
      return new Map(rows.map(([bucket, count, sum]): [number, Digest] => [bucket, digestOf(count, sum)]));
    },
    keys: async (chunk, buckets, signal) => {
      signal.throwIfAborted();
      return keyed(await select<KeyRow>(keysSql(context, chunk, buckets)));
    },
    rows: async (candidates, signal) => {
      signal.throwIfAborted();
      return candidates.length === 0 ? new Map() : keyed(await select<KeyRow>(rowsSql(context, candidates)));
    },
  };
};

const digestOf = (rows: string, sum: string): Digest => ({ rows: Number(rows), sum: BigInt(sum) });

const keyed = (rows: readonly KeyRow[]): Map<string, KeyDigest> =>
  new Map(
    rows.map(([count, sum, version, tenant, ...key]): [string, KeyDigest] => [
      keyId(key, tenant),
      { ...digestOf(count, sum), key, tenant, version: version ?? '' },
    ]),
  );
