/**
 * Which hashes a comparison is made of. PostgreSQL's own are some forty times cheaper than sha256, but promise nothing
 * across versions and processors: so both servers are asked for the hashes of the same samples, and only where all of
 * them agree, and texts are the same bytes on both sides, do their own hashes count.
 */

import type { Client } from 'pg';
import { codeOf } from '../pg-error.ts';

/** `server`: the servers' own hash functions, chained. `portable`: sha256, the same everywhere and in the runner. */
export type Hashing = 'server' | 'portable';

/**
 * Samples of every function that chain.ts uses: all lengths up to some blocks of the hash and every remainder, numbers
 * whose bytes all differ, and two seeds of 64 bits.
 */
const SAMPLES = `
  SELECT getdatabaseencoding() AS encoding, string_agg(concat_ws(' ',
      hashtextextended(left(repeat(md5(n::text), 3), n) COLLATE "C", seed),
      hashint4extended((n::int8 * 88172645463 & 2147483647)::int4, seed),
      hashint8extended((n::int8 << 32) + n * 7919, seed),
      hashfloat8extended(n * 0.37 - 11, seed),
      uuid_hash_extended(md5(n::text)::uuid, seed),
      timestamp_hash_extended(moment, seed), date_part('epoch', moment),
      hash_array_extended(ARRAY[decode(md5(n::text), 'hex')], seed)), ',' ORDER BY n, seed) AS hashes
    FROM generate_series(0, 96) AS n,
         LATERAL (SELECT '1999-12-31 23:59:59.999999'::timestamp + n * n * interval '1 day 1 microsecond' AS moment) AS m,
         unnest(ARRAY[0, 1234567890123456789]) AS seed`;

/** SQLSTATE of a function that is not there: undefined_function. */
const UNDEFINED = '42883';

export const chooseHashing = async (source: Client, target: Client): Promise<Hashing> => {
  const [ours, theirs] = await Promise.all([samples(source), samples(target)]);
  return ours !== null && ours === theirs ? 'server' : 'portable';
};

/** null where the server lacks one of the functions. */
const samples = async (client: Client): Promise<string | null> => {
  try {
    const { rows } = await client.query<{ encoding: string; hashes: string }>(SAMPLES);
    return `${rows[0]?.encoding} ${rows[0]?.hashes}`;
  } catch (error) {
    if (codeOf(error) === UNDEFINED) return null;
    throw error;
  }
};
