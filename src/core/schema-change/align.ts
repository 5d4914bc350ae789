/**
 * Which columns of today a relation message of some time ago speaks of. A message names its columns as they were called
 * when the change was written, in the order of their numbers, and says no number (protocol: 54.9, Relation). Since then
 * columns may have been renamed, dropped and added; numbers are never given again, so the order tells.
 */

import type { RelationColumn } from '../change/pgoutput.ts';
import type { ColumnFacts, TableFacts } from '../topology/table.ts';
import type { ColumnNote } from './shape.ts';

/** Of one column of the message: what it is now; gone where it was dropped since. */
export type Aligned = { readonly column: ColumnFacts } | 'gone';

/** What must not be: dearer than any other way, cheaper than no way. */
const FORBIDDEN = 1_000;
const RENAMED = 4;
const RETYPED = 1;
/** Dropped, under a name that nobody noted. */
const GONE_UNNAMED = 2;
const GONE_NAMED_OTHERWISE = 8;
/** A column that stands before others of the message and was not in it, as if it had been generated then. */
const SKIPPED = 6;
/** Ways that are closer to each other than this cannot be told apart. */
const MARGIN = 3;

/** A number that a column of the message may stand at. */
interface Place {
  readonly column: ColumnFacts | null;
  readonly note: ColumnNote | undefined;
  /** It is sent whenever it is there. */
  readonly sent: boolean;
}

/**
 * @param notes what was noted of the table's columns before, by number; empty where nothing was
 * @param unsent columns that the publication leaves out, or may
 * @returns null where the message fits the table in no way, or in more than one
 */
export const alignColumns = (
  message: readonly RelationColumn[],
  table: TableFacts,
  notes: ReadonlyMap<number, ColumnNote> = new Map(),
  unsent: ReadonlySet<string> = new Set(),
): readonly Aligned[] | null => {
  const direct = alignByName(message, table);
  if (direct) return direct;
  const places = placesOf(table, notes, unsent);
  const best = cheapest(message, places, null);
  if (!best || best.cost >= FORBIDDEN) return null;
  for (const [at, place] of best.at.entries()) {
    if (costOf(message[at]!, places[place]!) < GONE_UNNAMED) continue;
    const other = cheapest(message, places, { at, place });
    if (other && other.cost < FORBIDDEN && other.cost - best.cost < MARGIN) return null;
  }
  return best.at.map((place) => {
    const { column } = places[place]!;
    return column ? { column } : 'gone';
  });
};

/** Nothing happened since: the same names and types in the same order. */
const alignByName = (message: readonly RelationColumn[], table: TableFacts): Aligned[] | null => {
  const sent = table.columns.filter((column) => column.generated === 'none');
  let next = 0;
  const aligned: Aligned[] = [];
  for (const { name, typeOid } of message) {
    while (next < sent.length && sent[next]!.name !== name) next++;
    const column = sent[next++];
    if (column?.typeOid !== typeOid) return null;
    aligned.push({ column });
  }
  // A column that was passed over and is not at the end is looked at with more care.
  return sent.slice(0, message.length).every((column, at) => column.name === message[at]!.name)
    ? aligned
    : null;
};

const placesOf = (
  table: TableFacts,
  notes: ReadonlyMap<number, ColumnNote>,
  unsent: ReadonlySet<string>,
): Place[] => {
  const live = new Map(table.columns.map((column) => [column.number, column]));
  const highest = Math.max(table.highestColumn ?? 0, ...live.keys());
  const places: Place[] = [];
  for (let number = 1; number <= highest; number++) {
    const column = live.get(number) ?? null;
    if (column !== null && column.generated !== 'none') continue;
    places.push({ column, note: notes.get(number), sent: column !== null && !unsent.has(column.name) });
  }
  return places;
};

const costOf = (column: RelationColumn, { column: live, note }: Place): number => {
  const known = note !== undefined && (note.name === column.name || note.formerly.includes(column.name));
  if (live === null) return known ? 0 : note === undefined ? GONE_UNNAMED : GONE_NAMED_OTHERWISE;
  const named = live.name === column.name || known ? 0 : RENAMED;
  // Renamed and of another type at once is less likely than dropped and added.
  return named + (live.typeOid === column.typeOid ? 0 : named > 0 ? RENAMED : RETYPED);
};

/**
 * The cheapest way to give each column of the message a place, in order. One column is looked at after the other; of
 * the ways to put it at a place only the best is kept.
 * @param except a pair that is not allowed
 */
const cheapest = (
  message: readonly RelationColumn[],
  places: readonly Place[],
  except: { readonly at: number; readonly place: number } | null,
): { cost: number; at: number[] } | null => {
  /** By place: the cost of the best way that ends there, and where the column before stands. */
  let before: { cost: number; from: number }[] = [];
  const ways: { cost: number; from: number }[][] = [];
  for (const [at, column] of message.entries()) {
    const row: { cost: number; from: number }[] = [];
    let best = { cost: at === 0 ? 0 : Number.POSITIVE_INFINITY, from: -1 };
    for (const [index, place] of places.entries()) {
      const blocked = except?.at === at && except.place === index;
      row.push({
        cost: blocked ? Number.POSITIVE_INFINITY : best.cost + costOf(column, place),
        from: best.from,
      });
      // For the places behind this one: it is either passed over, or where the column before stands.
      const passed = best.cost + (place.sent ? SKIPPED : 0);
      const stood = at === 0 ? Number.POSITIVE_INFINITY : before[index]!.cost;
      best = stood < passed ? { cost: stood, from: index } : { cost: passed, from: best.from };
    }
    ways.push(row);
    before = row;
  }
  let end = -1;
  for (const [index, way] of before.entries())
    if (way.cost < (before[end]?.cost ?? Number.POSITIVE_INFINITY)) end = index;
  if (end < 0) return message.length === 0 ? { cost: 0, at: [] } : null;
  const { cost } = before[end]!;
  const at: number[] = [];
  for (let column = message.length - 1; column >= 0; column--) {
    at.unshift(end);
    end = ways[column]![end]!.from;
  }
  return { cost, at };
};
