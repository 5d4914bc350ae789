/**
 * Decides about keys that differed once. While writes go on a difference may only mean that the target is behind, so a
 * key counts as different when it differed in two readings, each past a marker that came after the source's reading,
 * and the source's row was not written in between. A key that agrees in any reading is done. What keeps changing until
 * the rounds are over is neither: it is unsettled, and never counted as equal (CORRECTNESS 35).
 */

import { digestText, sameDigest, type Digest, type KeyDigest } from './digest.ts';
import type { Candidate } from './side.ts';

export type DifferenceKind = 'changed' | 'missing' | 'extra';

export interface Difference {
  readonly kind: DifferenceKind;
  readonly key: readonly (string | null)[];
  readonly tenant: string | null;
  /** digestText of what either side had when it was last read; null for no row. */
  readonly source: string | null;
  readonly target: string | null;
}

export interface Reading {
  /** Absent: no row. */
  readonly source: KeyDigest | undefined;
  readonly target: KeyDigest | undefined;
}

export interface Doubt {
  readonly candidate: Candidate;
  readonly reading: Reading;
}

/** What differs between two readings by keyId. */
export const doubts = (
  source: ReadonlyMap<string, KeyDigest>,
  target: ReadonlyMap<string, KeyDigest>,
  candidateOf: (id: string, any: KeyDigest) => Candidate,
): Doubt[] => {
  const found: Doubt[] = [];
  for (const id of new Set([...source.keys(), ...target.keys()])) {
    const reading = { source: source.get(id), target: target.get(id) };
    const any = reading.source ?? reading.target;
    if (any && !agrees(reading.source, reading.target))
      found.push({ candidate: candidateOf(id, any), reading });
  }
  return found;
};

export interface Round {
  readonly confirmed: readonly Difference[];
  /** Still in doubt, with their newest reading. */
  readonly doubts: readonly Doubt[];
}

/** One more reading of each doubt: confirmed, gone, or still in doubt. */
export const nextRound = (
  before: readonly Doubt[],
  source: ReadonlyMap<string, KeyDigest>,
  target: ReadonlyMap<string, KeyDigest>,
): Round => {
  const confirmed: Difference[] = [];
  const still: Doubt[] = [];
  for (const { candidate, reading: last } of before) {
    const now: Reading = { source: source.get(candidate.id), target: target.get(candidate.id) };
    // The target, read after the source, may have shown already what the source has only now. The other way round, a
    // target that shows what the source had before is behind a marker that it has passed: that is no agreement.
    if (agrees(now.source, now.target) || agrees(now.source, last.target)) continue;
    if (sameVersion(last.source, now.source)) confirmed.push(differenceOf(candidate, now));
    else still.push({ candidate, reading: now });
  }
  return { confirmed, doubts: still };
};

export const differenceOf = (candidate: Candidate, { source, target }: Reading): Difference => {
  const sourceRows = source?.rows ?? 0;
  const targetRows = target?.rows ?? 0;
  const kind = sourceRows > targetRows ? 'missing' : sourceRows < targetRows ? 'extra' : 'changed';
  const { key, tenant } = candidate;
  return { kind, key, tenant, source: digestText(source), target: digestText(target) };
};

const agrees = (a: Digest | undefined, b: Digest | undefined): boolean =>
  a && b ? sameDigest(a, b) : a === b;

const sameVersion = (a: KeyDigest | undefined, b: KeyDigest | undefined): boolean =>
  a && b ? a.version === b.version && sameDigest(a, b) : a === b;
