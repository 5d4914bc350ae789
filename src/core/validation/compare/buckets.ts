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

/** Suspects of one chunk in portions of at most `maxRows` rows; a larger bucket is a portion of its own. */
export const portions = (suspects: readonly Suspect[], maxRows: number): Suspect[][] => {
  const cut: Suspect[][] = [];
  for (const sameChunk of Map.groupBy(suspects, (suspect) => suspect.chunk).values()) {
    let portion: Suspect[] = [];
    let rows = 0;
    for (const suspect of sameChunk) {
      if (portion.length > 0 && rows + suspect.rows > maxRows) {
        cut.push(portion);
        portion = [];
        rows = 0;
      }
      portion.push(suspect);
      rows += suspect.rows;
    }
    cut.push(portion);
  }
  return cut;
};
