/**
 * An order of keys in which neighbours lie near each other in an index: by their bytes after what all have in common. It
 * only saves the target from reading the same pages again and again, so it need not be the index's own order, and few
 * bytes of each key are enough.
 */

import type { Buffer } from 'node:buffer';

/** A double is exact to 53 bits: 37 of the key, and 16 for where it stood. */
const PLACES = 2 ** 16;
const KEY_BYTES = 5;

/**
 * @param ranges starts and ends of the keys in `bytes`, flat
 * @returns the keys' numbers in that order; equal ones as they stood. As they stood, too, where there are too many
 */
export const keyOrder = (bytes: Buffer, ranges: readonly number[]): ArrayLike<number> => {
  const count = ranges.length / 2;
  if (count > PLACES) return Array.from({ length: count }, (_, at) => at);
  const common = commonBytes(bytes, ranges);
  const weights = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const start = ranges[at * 2]! + common;
    const end = Math.min(ranges[at * 2 + 1]!, start + KEY_BYTES);
    let weight = 0;
    for (let byte = start; byte < start + KEY_BYTES; byte++)
      weight = weight * 256 + (byte < end ? bytes[byte]! : 0);
    // Of the fifth byte five bits.
    weights[at] = Math.floor(weight / 8) * PLACES + at;
  }
  weights.sort();
  return Uint16Array.from(weights, (weight) => weight % PLACES);
};

/** Keys that are compared to tell whether all of them came in order. */
const SAMPLES = 32;

/** Whether the keys seem to lie in order as they stand: samples of them do. */
export const inKeyOrder = (bytes: Buffer, ranges: readonly number[]): boolean => {
  const count = ranges.length / 2;
  const step = Math.max(1, Math.floor(count / SAMPLES));
  for (let at = step; at < count; at += step) {
    const before = (at - step) * 2;
    const [start, end] = [ranges[at * 2]!, ranges[at * 2 + 1]!];
    if (bytes.compare(bytes, start, end, ranges[before], ranges[before + 1]) > 0) return false;
  }
  return true;
};

/** Bytes at the beginning that no key differs in. */
const commonBytes = (bytes: Buffer, ranges: readonly number[]): number => {
  const first = ranges[0] ?? 0;
  let common = (ranges[1] ?? 0) - first;
  for (let at = 2; at < ranges.length && common > 0; at += 2) {
    const start = ranges[at]!;
    common = Math.min(common, ranges[at + 1]! - start);
    let same = 0;
    while (same < common && bytes[start + same] === bytes[first + same]) same++;
    common = same;
  }
  return common;
};
