/**
 * The net effect of a batch, per key: what must be deleted, updated and inserted so that the target looks as after the
 * last whole transaction. Deletes are applied first, then updates, then inserts, so that values of unique columns that
 * move between rows are free when they are wanted. Tables for which only the order of the source is right are named.
 */

import { DELETE, HAS_UNCHANGED, INSERT, KEY_CHANGED, UPDATE, type Batch, type Variant } from './batch.ts';
import { inKeyOrder, keyOrder } from './key-order.ts';
import { HAS_ROW, INSERTED, KeyStates, REMOVE, UNCHANGED, UPDATED } from './key-states.ts';
import { readInt32 } from './pgoutput.ts';
import { fieldOffsets, UNCHANGED_FIELD } from './tuple-plan.ts';

/** A range of the batch's arena: pairs of start and end, flat. */
export type Ranges = number[];

export interface TableEffect {
  readonly variant: Variant;
  /** Keys, as written fields without a count. */
  readonly deletes: Ranges;
  /** Rows by which fields they leave unchanged: "" where none, else the fields' positions. */
  readonly updates: ReadonlyMap<string, Ranges>;
  /** Rows that are not at the target once the deletes are done. */
  readonly inserts: Ranges;
}

export interface NetEffect {
  readonly effects: readonly TableEffect[];
  /** Their changes are in no effect. */
  readonly inOrder: ReadonlySet<Variant>;
}

/** Where rows of a variant go. */
export interface Place {
  /** Variants of one table share it: an order holds for all of them or for none. */
  readonly name: string;
  /**
   * Rows carry values of the target's own (columns that are not replicated), so that a changed key must not become a
   * delete and an insert.
   */
  readonly keepsRow: boolean;
  /** What must keep the source's order if rows of the variant come: the table, or everything that comes with it. */
  readonly ordered: 'nothing' | 'table' | 'batch';
}

/** What is gathered of one variant. */
interface Work {
  readonly variant: Variant;
  readonly place: Place;
  /** Numbers it among the batch's variants. */
  readonly owner: number;
  /** Numbers of the changes, where there is nothing but inserts; else null. */
  readonly inserted: number[] | null;
  readonly states: number[];
  ordered: boolean;
}

/** @param keys may be used again for the next batch; ranges of the result lie in the batch's arena alone */
export const netEffect = (
  batch: Batch,
  placeOf: (variant: Variant) => Place,
  keys = new KeyStates(),
): NetEffect => {
  keys.reset(batch.size);
  const onlyInserts = insertOnlyVariants(batch);
  const works = new Map<Variant, Work>();
  // Changes of one table come in runs: what belongs to it is looked up when another begins.
  let last: Work | undefined;
  for (let index = 0; index < batch.size; index++) {
    const { variant } = batch.route[index]!;
    let work = last?.variant === variant ? last : works.get(variant);
    if (!work) {
      work = begin(batch, variant, placeOf(variant), works.size, onlyInserts);
      works.set(variant, work);
    }
    last = work;
    if (work.ordered) continue;
    if (work.inserted) work.inserted.push(index);
    else if (!absorb(batch, index, work, keys)) work.ordered = true;
  }
  const inOrder = orderedVariants([...works.values()]);
  const effects: TableEffect[] = [];
  for (const work of works.values())
    if (!inOrder.has(work.variant))
      effects.push(work.inserted ? onlyInserted(batch, work, work.inserted) : settle(batch, work, keys));
  return { effects, inOrder };
};

const begin = (
  batch: Batch,
  variant: Variant,
  place: Place,
  owner: number,
  onlyInserts: ReadonlySet<Variant>,
): Work => ({
  variant,
  place,
  owner,
  inserted: onlyInserts.has(variant) ? [] : null,
  states: [],
  ordered: place.ordered !== 'nothing' || batch.ordered.has(variant),
});

const orderedVariants = (works: readonly Work[]): ReadonlySet<Variant> => {
  const whole = works.some(({ place }) => place.ordered === 'batch');
  const names = new Set(works.filter(({ ordered }) => ordered).map(({ place }) => place.name));
  return new Set(works.filter(({ place }) => whole || names.has(place.name)).map(({ variant }) => variant));
};

/** Where a variant has nothing but inserts, no key can come twice: the source's own key forbids it. */
const insertOnlyVariants = (batch: Batch): ReadonlySet<Variant> => {
  const found = new Set<Variant>();
  for (const [{ variant }] of batch.counts) found.add(variant);
  for (const [{ variant }, { inserts }] of batch.counts) if (inserts === 0) found.delete(variant);
  for (const [{ variant }, counts] of batch.counts)
    if (counts.updates > 0 || counts.deletes > 0) found.delete(variant);
  return found;
};

/** Takes one change into the state of its key; false where the order of the source must be kept. */
const absorb = (batch: Batch, index: number, work: Work, keys: KeyStates): boolean => {
  const state = stateOf(batch, work, keys, batch.keyStart[index]!, batch.keyEnd[index]!);
  const what = keys.what[state]!;
  switch (batch.operation[index]) {
    case DELETE:
      keys.what[state] = isBornHere(what) ? 0 : REMOVE;
      return true;
    case INSERT:
      if ((what & HAS_ROW) !== 0) return false;
      setRow(batch, index, keys, state, (what & REMOVE) | INSERTED);
      return true;
    case UPDATE:
      if ((batch.flags[index]! & KEY_CHANGED) !== 0) return moveKey(batch, index, work, keys, state);
      if (what === 0) setRow(batch, index, keys, state, UPDATED);
      else if ((what & HAS_ROW) === 0) return false;
      else mergeRow(batch, index, keys, state);
      return true;
    default:
      return false;
  }
};

const stateOf = (batch: Batch, work: Work, keys: KeyStates, start: number, end: number): number => {
  const known = keys.size;
  const state = keys.at(work.owner, batch.arena.bytes, start, end);
  if (state === known) work.states.push(state);
  return state;
};

/** The row came to be within the batch: the target has never had it. */
const isBornHere = (what: number): boolean => (what & (INSERTED | REMOVE)) === INSERTED;

const setRow = (batch: Batch, index: number, keys: KeyStates, state: number, what: number): void => {
  const unchanged = (batch.flags[index]! & HAS_UNCHANGED) === 0 ? 0 : UNCHANGED;
  keys.what[state] = what | unchanged;
  keys.rowStart[state] = batch.rowStart[index]!;
  keys.rowEnd[state] = batch.rowEnd[index]!;
};

/** A later row of the same key: what it leaves unchanged it takes from the earlier one. */
const mergeRow = (batch: Batch, index: number, keys: KeyStates, state: number): void => {
  const what = keys.what[state]! & ~UNCHANGED;
  if ((batch.flags[index]! & HAS_UNCHANGED) === 0) return setRow(batch, index, keys, state, what);
  setMerged(keys, state, what, mergedRow(batch, keys.rowStart[state]!, batch.rowStart[index]!));
};

interface Merged {
  readonly start: number;
  readonly end: number;
  readonly unchanged: boolean;
}

const setMerged = (keys: KeyStates, state: number, what: number, row: Merged): void => {
  keys.what[state] = what | (row.unchanged ? UNCHANGED : 0);
  keys.rowStart[state] = row.start;
  keys.rowEnd[state] = row.end;
};

const mergedRow = (batch: Batch, earlier: number, later: number): Merged => {
  const { arena } = batch;
  const before = fieldOffsets(arena.bytes, earlier);
  const after = fieldOffsets(arena.bytes, later);
  const start = arena.length;
  let unchanged = false;
  arena.copy(arena.bytes, later, later + 2);
  for (let field = 0; field + 1 < after.length; field++) {
    const keep = readInt32(arena.bytes, after[field]!) === UNCHANGED_FIELD;
    const from = keep ? before : after;
    if (keep && readInt32(arena.bytes, before[field]!) === UNCHANGED_FIELD) unchanged = true;
    arena.copy(arena.bytes, from[field]!, from[field + 1]!);
  }
  return { start, end: arena.length, unchanged };
};

/** A changed key is a delete of the old one and an insert of the new, where the whole row is known. */
const moveKey = (batch: Batch, index: number, work: Work, keys: KeyStates, before: number): boolean => {
  const was = keys.what[before]!;
  if (work.place.keepsRow || (was !== 0 && (was & HAS_ROW) === 0)) return false;
  let moved: Merged = {
    start: batch.rowStart[index]!,
    end: batch.rowEnd[index]!,
    unchanged: (batch.flags[index]! & HAS_UNCHANGED) !== 0,
  };
  if (moved.unchanged && was !== 0) moved = mergedRow(batch, keys.rowStart[before]!, moved.start);
  if (moved.unchanged) return false;
  const [start, end] = copyKey(batch, moved.start, work.variant);
  const after = stateOf(batch, work, keys, start, end);
  if ((keys.what[after]! & HAS_ROW) !== 0) return false;
  keys.what[before] = isBornHere(was) ? 0 : REMOVE;
  setMerged(keys, after, (keys.what[after]! & REMOVE) | INSERTED, moved);
  return true;
};

/** The key of the new row, copied out of it. */
const copyKey = (batch: Batch, rowStart: number, variant: Variant): [start: number, end: number] => {
  const { arena } = batch;
  const offsets = fieldOffsets(arena.bytes, rowStart);
  const start = arena.length;
  for (const field of variant.plan.key) arena.copy(arena.bytes, offsets[field]!, offsets[field + 1]!);
  return [start, arena.length];
};

/** Existing rows are looked for in the order of their keys, wherever in the batch they came. */
const settle = (batch: Batch, { variant, states }: Work, keys: KeyStates): TableEffect => {
  const deletes: Ranges = [];
  const inserts: Ranges = [];
  const updates = new Map<string, Ranges>();
  const ranges: Ranges = [];
  for (const state of states) ranges.push(keys.keyStart[state]!, keys.keyEnd[state]!);
  const order = keyOrder(batch.arena.bytes, ranges);
  let plain: Ranges | null = null;
  for (let at = 0; at < order.length; at++) {
    const state = states[order[at]!]!;
    const what = keys.what[state]!;
    if ((what & REMOVE) !== 0) deletes.push(keys.keyStart[state]!, keys.keyEnd[state]!);
    if ((what & HAS_ROW) === 0) continue;
    const start = keys.rowStart[state]!;
    let rows: Ranges;
    if ((what & INSERTED) !== 0) rows = inserts;
    else if ((what & UNCHANGED) === 0) rows = plain ??= entry(updates, '');
    else rows = entry(updates, unchangedFields(batch, start));
    rows.push(start, keys.rowEnd[state]!);
  }
  return { variant, deletes, updates, inserts };
};

const entry = (map: Map<string, Ranges>, key: string): Ranges => {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = []));
  return value;
};

/**
 * New rows go in the order of their keys, too: those of many tenants come by turns, and each would go to another page
 * of the index. Those that come in that order, as numbers from a sequence do, are left as they lie.
 */
const onlyInserted = (batch: Batch, { variant }: Work, inserted: readonly number[]): TableEffect => {
  const inserts: Ranges = [];
  const keys: Ranges = [];
  for (const index of inserted) keys.push(batch.keyStart[index]!, batch.keyEnd[index]!);
  const { bytes } = batch.arena;
  const order = inKeyOrder(bytes, keys) ? null : keyOrder(bytes, keys);
  for (let at = 0; at < inserted.length; at++) {
    const index = inserted[order ? order[at]! : at]!;
    inserts.push(batch.rowStart[index]!, batch.rowEnd[index]!);
  }
  return { variant, deletes: [], updates: new Map(), inserts };
};

/** Positions of the fields that a row leaves unchanged, joined by commas. */
export const unchangedFields = (batch: Batch, rowStart: number): string => {
  const { bytes } = batch.arena;
  return fieldOffsets(bytes, rowStart)
    .slice(0, -1)
    .flatMap((offset, field) => (readInt32(bytes, offset) === UNCHANGED_FIELD ? [field] : []))
    .join(',');
};
