/**
 * Compares one table, for one set of links, on two sides. First all chunks by digests, both sides at once: equal
 * digests prove that the target had what the source had, whatever the lag. What differs is read again bucket by bucket
 * as keys, past a marker, and what still differs is decided key by key in rounds. Memory is bounded by the number of
 * buckets of one chunk and by the limits below, whatever the size of the table.
 */

import type { Clock, Random } from '../../time/clock.ts';
import { differingBuckets, portions, rowsOf } from './buckets.ts';
import type { KeyDigest } from './digest.ts';
import { differenceOf, doubts, nextRound, type Difference, type Doubt } from './settle.ts';
import type { Candidate, Chunk, Marker, Side, Suspect } from './side.ts';

export interface Unit {
  /** Covers every row that either side can have, or all of them behind `after`. */
  chunks(after: readonly string[] | null, signal: AbortSignal): AsyncIterable<Chunk>;
  readonly source: Side;
  readonly target: Side;
}

export interface CompareLimits {
  /** Readings of a key after the first, before it is left unsettled. */
  readonly maxRounds: number;
  /** Differences after which the rest of the unit is not looked at: it has failed by then. */
  readonly maxDifferences: number;
  /** Keys that one portion of suspicious buckets may hold in memory for each side, about. */
  readonly portionRows: number;
  /** Keys that are read again by name at once. */
  readonly keysAtOnce: number;
  /** Rows of suspicious buckets after which they are looked into before the next chunk is read. */
  readonly suspectRows: number;
}

export const COMPARE_LIMITS: CompareLimits = {
  maxRounds: 5,
  maxDifferences: 1_000,
  portionRows: 20_000,
  keysAtOnce: 1_000,
  suspectRows: 200_000,
};

/** Time for a busy row to come to rest between two readings: doubles each round, to 1.6 s before the fifth. */
const FIRST_PAUSE_MS = 100;

export interface CompareContext {
  readonly marker: Marker;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: CompareLimits;
  /** Share of the chunks, or of the buckets of an only chunk, to look at: 0 < sample ≤ 1. */
  readonly sample: number;
  readonly signal: AbortSignal;
  /** Called after each chunk. */
  readonly progress: (chunks: number, rows: number) => void;
  /** Told whenever everything so far is decided: what a comparison that is cut off can go on from. */
  readonly settled?: (progress: UnitProgress) => Promise<void>;
}

/** How far a comparison came. JSON. */
export interface UnitProgress {
  /** Last key that is behind; null where nothing is, or everything. */
  readonly after: readonly string[] | null;
  readonly done: boolean;
  readonly result: UnitResult;
}

/** Where comparisons keep how far they came, by unit. */
export interface CompareMemory {
  read(unit: string): UnitProgress | null;
  write(unit: string, progress: UnitProgress): Promise<void>;
}

export interface UnitResult {
  /** Chunks looked at, and chunks that there are. */
  readonly checkedChunks: number;
  readonly chunks: number;
  /** Rows of the chunks looked at, when they were first read. */
  readonly sourceRows: number;
  readonly targetRows: number;
  readonly differences: readonly Difference[];
  /** Kept changing: unknown. */
  readonly unsettled: readonly Difference[];
  /** Most readings that a key took. */
  readonly rounds: number;
  /** False when maxDifferences ended the comparison: there may be more. */
  readonly complete: boolean;
}

/** @param before where an earlier comparison of the same unit was cut off */
export const compareUnit = async (
  unit: Unit,
  context: CompareContext,
  before: UnitProgress | null = null,
): Promise<UnitResult> => {
  const { limits, signal, random } = context;
  const found = foundBefore(before);
  const counts = countsBefore(before);
  if (before?.done) return before.result;
  // The same seed draws the same sample, whether it was cut off or not.
  for (let drawn = 0; context.sample < 1 && drawn < counts.chunks; drawn++) random.next();
  let suspects: Suspect[] = [];
  let suspectRows = 0;
  const settle = async (after: readonly string[] | null, done: boolean): Promise<void> => {
    await examine(unit, suspects, context, found);
    suspects = [];
    suspectRows = 0;
    const result = {
      ...counts,
      ...found,
      differences: [...found.differences],
      unsettled: [...found.unsettled],
    };
    await context.settled?.({ after, done, result });
  };

  for await (const chunk of unit.chunks(before?.after ?? null, signal)) {
    signal.throwIfAborted();
    counts.chunks++;
    const only = sampled(chunk, counts.checkedChunks, context);
    if (only !== null && only.length === 0) continue;
    counts.checkedChunks++;
    const [source, target] = await Promise.all([
      unit.source.digests(chunk, only, signal),
      unit.target.digests(chunk, only, signal),
    ]);
    counts.sourceRows += rowsOf(source);
    counts.targetRows += rowsOf(target);
    context.progress(counts.checkedChunks, counts.sourceRows);
    const differing = differingBuckets(chunk, source, target);
    suspects.push(...differing);
    suspectRows += differing.reduce((sum, suspect) => sum + suspect.rows, 0);
    if (suspectRows > 0 && suspectRows < limits.suspectRows) continue;
    await settle(chunk.upTo, false);
    if (!found.complete) break;
  }
  await settle(null, true);
  return { ...counts, ...found };
};

const foundBefore = (before: UnitProgress | null): Found => ({
  differences: [...(before?.result.differences ?? [])],
  unsettled: [...(before?.result.unsettled ?? [])],
  rounds: before?.result.rounds ?? 0,
  complete: before?.result.complete ?? true,
});

const countsBefore = (before: UnitProgress | null) => ({
  checkedChunks: before?.result.checkedChunks ?? 0,
  chunks: before?.result.chunks ?? 0,
  sourceRows: before?.result.sourceRows ?? 0,
  targetRows: before?.result.targetRows ?? 0,
});

/** null for all buckets, an empty list to leave the chunk out. The last is not left out when no other was looked at. */
const sampled = (
  chunk: Chunk,
  checked: number,
  { sample, random }: CompareContext,
): readonly number[] | null => {
  if (sample >= 1) return null;
  const isWhole = chunk.after === null && chunk.upTo === null;
  if (!isWhole) return random.next() < sample || (chunk.upTo === null && checked === 0) ? null : [];
  const count = Math.max(1, Math.round(chunk.buckets * sample));
  const first = Math.floor(random.next() * chunk.buckets);
  return Array.from({ length: count }, (_, i) => (first + i) % chunk.buckets);
};

interface Found {
  differences: Difference[];
  unsettled: Difference[];
  rounds: number;
  complete: boolean;
}

const examine = async (
  unit: Unit,
  suspects: readonly Suspect[],
  context: CompareContext,
  found: Found,
): Promise<void> => {
  for (const portion of portions(suspects, context.limits.portionRows)) {
    const inDoubt = await readKeys(unit, portion, context);
    for (let at = 0; at < inDoubt.length; at += context.limits.keysAtOnce) {
      if (found.differences.length >= context.limits.maxDifferences) {
        found.complete = false;
        return;
      }
      await settle(unit, inDoubt.slice(at, at + context.limits.keysAtOnce), context, found);
    }
  }
};

const readKeys = async (
  { source, target }: Unit,
  portion: readonly Suspect[],
  context: CompareContext,
): Promise<Doubt[]> => {
  const chunk = portion[0]?.chunk;
  if (!chunk) return [];
  const buckets = portion.map((suspect) => suspect.bucket);
  const candidateOf = (id: string, { key, tenant }: KeyDigest): Candidate => ({ id, key, tenant, chunk });
  const sourceKeys = await source.keys(chunk, buckets, context.signal);
  await passMarker(context);
  return doubts(sourceKeys, await target.keys(chunk, buckets, context.signal), candidateOf);
};

const settle = async (
  { source, target }: Unit,
  first: readonly Doubt[],
  context: CompareContext,
  found: Found,
): Promise<void> => {
  let open = first;
  for (let round = 1; round <= context.limits.maxRounds && open.length > 0; round++) {
    await context.clock.sleep(FIRST_PAUSE_MS * 2 ** (round - 1), context.signal);
    const candidates = open.map((doubt) => doubt.candidate);
    const sourceRows = await source.rows(candidates, context.signal);
    await passMarker(context);
    const result = nextRound(open, sourceRows, await target.rows(candidates, context.signal));
    found.differences.push(...result.confirmed);
    found.rounds = Math.max(found.rounds, round);
    open = result.doubts;
  }
  found.unsettled.push(...open.map(({ candidate, reading }) => differenceOf(candidate, reading)));
};

const passMarker = async ({ marker, signal }: CompareContext): Promise<void> =>
  marker.passed(await marker.emit(signal), signal);
