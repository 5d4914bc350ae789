/** Damage done to bytes, as broken software or hardware between two programs might do it; seeded. */

import type { SeededRandom } from '../../fixtures/shop/random.ts';

const MAX_FLIPS = 4;
const MAX_RUN = 12;

type Mutation = (bytes: Buffer, random: SeededRandom) => Buffer;

const truncated: Mutation = (bytes, random) => bytes.subarray(0, random.between(0, bytes.length - 1));

const overwritten: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes);
  for (let left = random.between(1, MAX_FLIPS); left > 0; left--)
    changed[random.between(0, bytes.length - 1)] = random.between(0, 255);
  return changed;
};

const bitFlipped: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes);
  const at = random.between(0, bytes.length - 1);
  changed[at] = (changed[at] ?? 0) ^ (1 << random.between(0, 7));
  return changed;
};

/** Lengths and counts are where readers go wrong. */
const extremeNumber: Mutation = (bytes, random) => {
  const changed = Buffer.from(bytes);
  const size = random.pick([1, 2, 4] as const);
  if (bytes.length < size) return changed;
  const value = random.pick([
    0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
  ]);
  changed.writeUIntBE(value % 2 ** (8 * size), random.between(0, bytes.length - size), size);
  return changed;
};

const cutOut: Mutation = (bytes, random) => {
  const at = random.between(0, bytes.length - 1);
  return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.between(1, MAX_RUN))]);
};

const inserted: Mutation = (bytes, random) => {
  const at = random.between(0, bytes.length);
  return Buffer.concat([bytes.subarray(0, at), random.bytes(random.between(1, MAX_RUN)), bytes.subarray(at)]);
};

const doubled: Mutation = (bytes, random) => {
  const at = random.between(0, bytes.length - 1);
  const end = Math.min(bytes.length, at + random.between(1, MAX_RUN));
  return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
};

/** Letters that say what follows: each is a plausible one in the place of another. */
const LETTERS = Buffer.from('nutbKONIUDBCRYTMO');

const otherLetter: Mutation = (bytes, random) => {
  const places = [...bytes.keys()].filter((at) => LETTERS.includes(bytes[at]!));
  const changed = Buffer.from(bytes);
  if (places.length > 0) changed[random.pick(places)] = LETTERS[random.between(0, LETTERS.length - 1)]!;
  return changed;
};

const MUTATIONS = [
  truncated,
  overwritten,
  bitFlipped,
  extremeNumber,
  extremeNumber,
  otherLetter,
  otherLetter,
  cutOut,
  inserted,
  doubled,
];

/** A damaged copy; now and then, by chance, an equal one. */
export const mutated = (bytes: Buffer, random: SeededRandom): Buffer =>
  bytes.length === 0 ? random.bytes(1) : random.pick(MUTATIONS)(bytes, random);
