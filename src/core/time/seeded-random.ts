/** Chance that a seed replays: sfc32 (Chris Doty-Humphrey, PractRand), its state taken from a hash of the seed. */

import { createHash } from 'node:crypto';
import type { Random } from './clock.ts';

export const seededRandom = (seed: string): Random => {
  const hash = createHash('sha256').update(seed).digest();
  let [a, b, c, d] = [0, 4, 8, 12].map((at) => hash.readInt32LE(at)) as [number, number, number, number];
  return {
    next() {
      const sum = (((a + b) | 0) + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = (c + (c << 3)) | 0;
      c = (c << 21) | (c >>> 11);
      c = (c + sum) | 0;
      return (sum >>> 0) / 2 ** 32;
    },
  };
};
