/** Which buckets of a chunk differ, and in what portions their keys are read. */

import { NO_ROWS, sameDigest, type Digest } from './digest.ts';
import type { Chunk, Suspect } from './side.ts';

export const differingBuckets = (
  chunk: Chunk,
  source: ReadonlyMap<number, Digest>,
  target: ReadonlyMap<number, Digest>,
): Suspect[] => {
  const suspects: Suspect[] = [];
  for (const bucket of new Set([...source.keys(), ...target.keys()])) {
    const a = source.get(bucket) ?? NO_ROWS;
    const b = target.get(bucket) ?? NO_ROWS;
    if (!sameDigest(a, b)) suspects.push({ chunk, bucket, rows: Math.max(a.rows, b.rows) });
  }
  return suspects;
};

export const rowsOf = (digests: ReadonlyMap<number, Digest>): number => {
  let rows = 0;
  for (const digest of digests.values()) rows += digest.rows;
  return rows;
};

/** Suspects in portions of at most `maxRows` rows; a larger bucket is a portion of its own. */
export const portions = (suspects: readonly Suspect[], maxRows: number): Suspect[][] => {
  const cut: Suspect[][] = [];
  let rows = 0;
  for (const suspect of suspects) {
    const portion = cut.at(-1);
    if (!portion || rows + suspect.rows > maxRows) {
      cut.push([suspect]);
      rows = suspect.rows;
    } else {
      portion.push(suspect);
      rows += suspect.rows;
    }
  }
  return cut;
};
