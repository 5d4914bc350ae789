/**
 * Compares one table, for one set of links, on two sides. First all chunks by digests, both sides at once: equal
 * digests prove that the target had what the source had, whatever the lag. What differs is read again bucket by bucket
 * as keys, past a marker, and what still differs is decided key by key in rounds. Memory is bounded by the number of
 * buckets of one chunk and by the limits below, whatever the size of the table.
 */

import type { Clock, Random } from '../../time/clock.ts';
import { differingBuckets, portions, rowsOf } from './buckets.ts';
import { sameDigest, type KeyDigest } from './digest.ts';
import { differenceOf, doubts, nextRound, type Difference, type Doubt } from './settle.ts';
import type { Chunk, Marker, Side, Suspect } from './side.ts';

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
    const read = (await readTotals(unit, chunk, signal)) ?? (await readBuckets(unit, chunk, only, signal));
    counts.sourceRows += read.sourceRows;
    counts.targetRows += read.targetRows;
    context.progress(counts.checkedChunks, counts.sourceRows);
    suspects.push(...read.suspects);
    suspectRows += read.suspects.reduce((sum, suspect) => sum + suspect.rows, 0);
    if (suspectRows > 0 && suspectRows < limits.suspectRows) continue;
    await settle(chunk.upTo, false);
    if (!found.complete) break;
  }
  await settle(null, true);
  return { ...counts, ...found };
};

interface ChunkRead {
  readonly sourceRows: number;
  readonly targetRows: number;
  readonly suspects: readonly Suspect[];
}

/** null where the totals of a chunk differ, or it has none: then its buckets are to be read. A whole table has none. */
const readTotals = async (
  { source, target }: Unit,
  chunk: Chunk,
  signal: AbortSignal,
): Promise<ChunkRead | null> => {
  if (isWhole(chunk) || !source.total || !target.total) return null;
  const [ours, theirs] = await Promise.all([source.total(chunk, signal), target.total(chunk, signal)]);
  return sameDigest(ours, theirs) ? { sourceRows: ours.rows, targetRows: theirs.rows, suspects: [] } : null;
};

const readBuckets = async (
  unit: Unit,
  chunk: Chunk,
  only: readonly number[] | null,
  signal: AbortSignal,
): Promise<ChunkRead> => {
  const [source, target] = await Promise.all([
    unit.source.digests(chunk, only, signal),
    unit.target.digests(chunk, only, signal),
  ]);
  const suspects = differingBuckets(chunk, source, target);
  return { sourceRows: rowsOf(source), targetRows: rowsOf(target), suspects };
};

const isWhole = (chunk: Chunk): boolean => chunk.after === null && chunk.upTo === null;

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
  if (!isWhole(chunk)) return random.next() < sample || (chunk.upTo === null && checked === 0) ? null : [];
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

/** Keys in doubt are settled together, from whatever chunks they are: each round waits, and takes a marker. */
const examine = async (
  unit: Unit,
  suspects: readonly Suspect[],
  context: CompareContext,
  found: Found,
): Promise<void> => {
  const { portionRows, keysAtOnce, maxDifferences } = context.limits;
  let inDoubt: Doubt[] = [];
  const settleFirst = async (): Promise<void> => {
    if (found.differences.length >= maxDifferences) found.complete = false;
    else await settle(unit, inDoubt.slice(0, keysAtOnce), context, found);
    inDoubt = inDoubt.slice(keysAtOnce);
  };
  for (const portion of portions(suspects, portionRows)) {
    inDoubt.push(...(await readKeys(unit, portion, context)));
    while (inDoubt.length >= keysAtOnce && found.complete) await settleFirst();
    if (!found.complete) return;
  }
  while (inDoubt.length > 0 && found.complete) await settleFirst();
};

/** What differs in the suspicious buckets, key by key. */
const readKeys = async (
  { source, target }: Unit,
  portion: readonly Suspect[],
  context: CompareContext,
): Promise<Doubt[]> => {
  const read = [...Map.groupBy(portion, ({ chunk }) => chunk)].map(([chunk, suspects]) => ({
    chunk,
    buckets: suspects.map(({ bucket }) => bucket),
    sourceKeys: NO_KEYS,
  }));
  for (const part of read) part.sourceKeys = await source.keys(part.chunk, part.buckets, context.signal);
  await passMarker(context);
  const found: Doubt[] = [];
  for (const { chunk, buckets, sourceKeys } of read) {
    const targetKeys = await target.keys(chunk, buckets, context.signal);
    found.push(...doubts(sourceKeys, targetKeys, (id, { key, tenant }) => ({ id, key, tenant, chunk })));
  }
  return found;
};

const NO_KEYS: ReadonlyMap<string, KeyDigest> = new Map();

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
