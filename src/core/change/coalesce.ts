/**
 * The net effect of a batch, per key: what must be deleted, updated and inserted so that the target looks as after the
 * last whole transaction. Deletes are applied first, then updates, then inserts, so that values of unique columns that
 * move between rows are free when they are wanted. Null where only the order of the source is right.
 */

import { DELETE, HAS_UNCHANGED, INSERT, KEY_CHANGED, UPDATE, type Batch, type Variant } from './batch.ts';
import { keyOrder } from './key-order.ts';
import { readInt32 } from './pgoutput.ts';
import { fieldOffsets, UNCHANGED_FIELD } from './tuple-plan.ts';

/** A range of the batch's arena: pairs of start and end, flat. */
export type Ranges = number[];

export interface NetEffect {
  readonly variant: Variant;
  /** Keys, as written fields without a count. */
  readonly deletes: Ranges;
  /** Rows by which fields they leave unchanged: "" where none, else the fields' positions. */
  readonly updates: ReadonlyMap<string, Ranges>;
  /** Rows that are not at the target once the deletes are done. */
  readonly inserts: Ranges;
}

interface KeyState {
  keyStart: number;
  keyEnd: number;
  /** The row that the target may hold now must go. */
  remove: boolean;
  row: 'none' | 'insert' | 'update';
  rowStart: number;
  rowEnd: number;
  unchanged: boolean;
}

/**
 * @param keepsRow whether rows of the variant carry values of the target's own (columns that are not replicated), so
 *   that a changed key must not become a delete and an insert
 */
export const netEffect = (batch: Batch, keepsRow: (variant: Variant) => boolean): NetEffect[] | null => {
  if (batch.ordered) return null;
  const onlyInserts = insertOnlyVariants(batch);
  const plain = new Map<Variant, Ranges>();
  const states = new Map<Variant, Map<string, KeyState>>();
  // Changes of one table come in runs: what belongs to it is looked up when another begins.
  let last: Variant | null = null;
  let inserted: Ranges | null = null;
  let keys = new Map<string, KeyState>();
  for (let index = 0; index < batch.size; index++) {
    const variant = batch.route[index]!.variant;
    if (variant !== last) {
      last = variant;
      inserted = onlyInserts.has(variant) ? entry(plain, variant, () => []) : null;
      if (!inserted) keys = entry(states, variant, () => new Map());
    }
    if (inserted) inserted.push(batch.rowStart[index]!, batch.rowEnd[index]!);
    else if (!absorb(batch, index, keys, keepsRow)) return null;
  }
  const effects = [...plain].map(([variant, inserts]): NetEffect => ({
    variant,
    deletes: [],
    updates: new Map(),
    inserts,
  }));
  for (const [variant, keys] of states) effects.push(settle(batch, variant, keys));
  return effects;
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

const entry = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
};

const text = (batch: Batch, start: number, end: number): string =>
  batch.arena.bytes.toString('latin1', start, end);

/** Takes one change into the states of its variant's keys; false where the order of the source must be kept. */
const absorb = (
  batch: Batch,
  index: number,
  keys: Map<string, KeyState>,
  keepsRow: (variant: Variant) => boolean,
): boolean => {
  const keyStart = batch.keyStart[index]!;
  const keyEnd = batch.keyEnd[index]!;
  const flags = batch.flags[index]!;
  const key = text(batch, keyStart, keyEnd);
  const state = keys.get(key);
  switch (batch.operation[index]) {
    case DELETE:
      if (state && bornHere(state)) keys.delete(key);
      else if (state) Object.assign(state, { remove: true, row: 'none', unchanged: false });
      else
        keys.set(key, {
          keyStart,
          keyEnd,
          remove: true,
          row: 'none',
          rowStart: 0,
          rowEnd: 0,
          unchanged: false,
        });
      return true;
    case INSERT:
      if (state && state.row !== 'none') return false;
      keys.set(key, rowState(batch, index, state?.remove ?? false, 'insert'));
      return true;
    case UPDATE:
      if ((flags & KEY_CHANGED) !== 0) return moveKey(batch, index, keys, state, keepsRow);
      if (!state) keys.set(key, rowState(batch, index, false, 'update'));
      else if (state.row === 'none') return false;
      else mergeRow(batch, index, state);
      return true;
    default:
      return false;
  }
};

const rowState = (batch: Batch, index: number, remove: boolean, row: 'insert' | 'update'): KeyState => ({
  keyStart: batch.keyStart[index]!,
  keyEnd: batch.keyEnd[index]!,
  remove,
  row,
  rowStart: batch.rowStart[index]!,
  rowEnd: batch.rowEnd[index]!,
  unchanged: (batch.flags[index]! & HAS_UNCHANGED) !== 0,
});

/** The row came to be within the batch: the target has never had it. */
const bornHere = (state: KeyState): boolean => state.row === 'insert' && !state.remove;

/** A later row of the same key: what it leaves unchanged it takes from the earlier one. */
const mergeRow = (batch: Batch, index: number, state: KeyState): void => {
  const rowStart = batch.rowStart[index]!;
  const rowEnd = batch.rowEnd[index]!;
  if ((batch.flags[index]! & HAS_UNCHANGED) === 0) {
    Object.assign(state, { rowStart, rowEnd, unchanged: false });
    return;
  }
  Object.assign(state, mergedRow(batch, state.rowStart, rowStart));
};

const mergedRow = (
  batch: Batch,
  earlier: number,
  later: number,
): Pick<KeyState, 'rowStart' | 'rowEnd' | 'unchanged'> => {
  const { arena } = batch;
  const before = fieldOffsets(arena.bytes, earlier);
  const after = fieldOffsets(arena.bytes, later);
  const rowStart = arena.length;
  let unchanged = false;
  arena.copy(arena.bytes, later, later + 2);
  for (let field = 0; field + 1 < after.length; field++) {
    const keep = readInt32(arena.bytes, after[field]!) === UNCHANGED_FIELD;
    const from = keep ? before : after;
    if (keep && readInt32(arena.bytes, before[field]!) === UNCHANGED_FIELD) unchanged = true;
    arena.copy(arena.bytes, from[field]!, from[field + 1]!);
  }
  return { rowStart, rowEnd: arena.length, unchanged };
};

/** A changed key is a delete of the old one and an insert of the new, where the whole row is known. */
const moveKey = (
  batch: Batch,
  index: number,
  keys: Map<string, KeyState>,
  before: KeyState | undefined,
  keepsRow: (variant: Variant) => boolean,
): boolean => {
  const { variant } = batch.route[index]!;
  if (keepsRow(variant) || before?.row === 'none') return false;
  const moved: KeyState = { ...rowState(batch, index, false, 'insert'), ...newKey(batch, index, variant) };
  if (moved.unchanged) {
    if (!before) return false;
    Object.assign(moved, mergedRow(batch, before.rowStart, moved.rowStart));
    if (moved.unchanged) return false;
  }
  const key = text(batch, moved.keyStart, moved.keyEnd);
  const occupied = keys.get(key);
  if (occupied && occupied.row !== 'none') return false;
  moved.remove = occupied?.remove ?? false;
  const oldKey = text(batch, batch.keyStart[index]!, batch.keyEnd[index]!);
  if (before && bornHere(before)) keys.delete(oldKey);
  else keys.set(oldKey, { ...rowState(batch, index, true, 'insert'), row: 'none', unchanged: false });
  keys.set(key, moved);
  return true;
};

/** The key of the new row, copied out of it. */
const newKey = (batch: Batch, index: number, variant: Variant): Pick<KeyState, 'keyStart' | 'keyEnd'> => {
  const { arena } = batch;
  const offsets = fieldOffsets(arena.bytes, batch.rowStart[index]!);
  const keyStart = arena.length;
  for (const field of variant.plan.key) arena.copy(arena.bytes, offsets[field]!, offsets[field + 1]!);
  return { keyStart, keyEnd: arena.length };
};

/** Existing rows are looked for in the order of their keys, wherever in the batch they came. */
const settle = (batch: Batch, variant: Variant, keys: ReadonlyMap<string, KeyState>): NetEffect => {
  const deletes: Ranges = [];
  const inserts: Ranges = [];
  const updates = new Map<string, Ranges>();
  const states = [...keys.values()];
  const order = keyOrder(
    batch.arena.bytes,
    states.flatMap(({ keyStart, keyEnd }) => [keyStart, keyEnd]),
  );
  let plain: Ranges | null = null;
  for (let at = 0; at < order.length; at++) {
    const state = states[order[at]!]!;
    if (state.remove) deletes.push(state.keyStart, state.keyEnd);
    if (state.row === 'insert') inserts.push(state.rowStart, state.rowEnd);
    if (state.row !== 'update') continue;
    if (state.unchanged)
      entry(updates, unchangedFields(batch, state.rowStart), () => []).push(state.rowStart, state.rowEnd);
    else (plain ??= entry(updates, '', () => [])).push(state.rowStart, state.rowEnd);
  }
  return { variant, deletes, updates, inserts };
};

/** Positions of the fields that a row leaves unchanged, joined by commas. */
export const unchangedFields = (batch: Batch, rowStart: number): string => {
  const { bytes } = batch.arena;
  return fieldOffsets(bytes, rowStart)
    .slice(0, -1)
    .flatMap((offset, field) => (readInt32(bytes, offset) === UNCHANGED_FIELD ? [field] : []))
    .join(',');
};
