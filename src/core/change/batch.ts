/**
 * A batch: whole source transactions that are applied together in one target transaction. Rows lie in one arena, in
 * the order of the source; a change is a few numbers that point into it. A transaction too large for one batch comes
 * as several, all but the last `open`: they share one target transaction.
 */

import type { LinkId } from '../topology/link.ts';
import type { TableName } from '../topology/table.ts';
import { Arena } from './arena.ts';
import { ZERO_LSN, type Lsn } from './lsn.ts';
import type { TuplePlan } from './tuple-plan.ts';

export const INSERT = 1;
export const UPDATE = 2;
export const DELETE = 3;
export const TRUNCATE = 4;
export type Operation = typeof INSERT | typeof UPDATE | typeof DELETE | typeof TRUNCATE;

/** The new row has fields that are unchanged and not there. */
export const HAS_UNCHANGED = 1;
/** The old row's key is there and differs from the new one's. */
export const KEY_CHANGED = 2;

/** How rows of one table reach the target: all links whose policies keep the same columns share one. */
export interface Variant {
  readonly table: TableName;
  readonly plan: TuplePlan;
  /** Relation OID at the source, to read a row again. */
  readonly relation: number;
}

/** Rows of a table between two values of a column, [lower, upper) in text form; null is open. */
export interface TableRange {
  readonly column: string;
  readonly lower: string | null;
  readonly upper: string | null;
}

/** One link's rows of one table. */
export interface Route {
  readonly link: LinkId;
  readonly tenant: string;
  readonly variant: Variant;
  /** The link's predicate on the target, for TRUNCATE: column and text value; null means the whole table. */
  readonly scope: { readonly column: string; readonly value: string } | null;
  /** Commits at or before are in the copy. */
  readonly from: Lsn;
  /** Chunks copied under later snapshots; null where the copy had one snapshot. */
  readonly seen: ((transaction: number, bytes: Buffer, tuple: number) => boolean) | null;
  /**
   * What of the table was copied under snapshots that do not show the transaction: all of it, nothing, or ranges. It is
   * what a TRUNCATE has to empty. Null as above.
   */
  readonly unseen: ((transaction: number) => 'all' | readonly TableRange[]) | null;
}

export interface RouteCounts {
  inserts: number;
  updates: number;
  deletes: number;
  bytes: number;
}

/** Changes that a new batch has room for; it doubles as they come. */
const INITIAL_CHANGES = 1024;

const grown = <T extends Int32Array | Uint8Array>(list: T, more: T): T => {
  more.set(list);
  return more;
};

export class Batch {
  readonly arena = new Arena();
  // Typed arrays that are used again: lists of numbers would be garbage after every batch. Valid below `size`.
  operation = new Uint8Array(INITIAL_CHANGES);
  flags = new Uint8Array(INITIAL_CHANGES);
  /** Written row: start and end in the arena; both 0 where there is none. */
  rowStart = new Int32Array(INITIAL_CHANGES);
  rowEnd = new Int32Array(INITIAL_CHANGES);
  /** Key that identifies the row at the target before this change, as written fields without a count. */
  keyStart = new Int32Array(INITIAL_CHANGES);
  keyEnd = new Int32Array(INITIAL_CHANGES);
  readonly route: Route[] = [];
  size = 0;
  /** By a TRUNCATE's number among the changes: the range that it empties, where that is not the whole table. */
  readonly cleared = new Map<number, TableRange>();
  readonly counts = new Map<Route, RouteCounts>();
  /** Commit times of the transactions that end in this batch, in Unix milliseconds. */
  readonly commitsMs: number[] = [];
  /** End of the last whole transaction, or a keepalive's position when nothing is in flight. */
  position: Lsn = ZERO_LSN;
  /** The source's clock when it said that it is at `position`, in Unix milliseconds; null where only commits came. */
  sourceMs: number | null = null;
  /** The last transaction goes on in the next batch. */
  open = false;
  /** Variants of which some change may only be applied in the order of the source. */
  readonly ordered = new Set<Variant>();
  /** Changes of them, each of which costs a statement. */
  orderedChanges = 0;
  #countedRoute: Route | null = null;
  #counted: RouteCounts = { inserts: 0, updates: 0, deletes: 0, bytes: 0 };

  /** Makes it an empty batch again, and keeps its memory. */
  reset(): void {
    this.arena.clear();
    this.size = 0;
    this.cleared.clear();
    this.counts.clear();
    this.#countedRoute = null;
    this.commitsMs.length = 0;
    this.position = ZERO_LSN;
    this.sourceMs = null;
    this.open = false;
    this.ordered.clear();
    this.orderedChanges = 0;
  }

  /** A change of the variant comes that may only be applied in the order of the source. */
  keepOrder(variant: Variant): void {
    this.ordered.add(variant);
    this.orderedChanges++;
  }

  add(
    operation: Operation,
    route: Route,
    flags: number,
    rowStart: number,
    rowEnd: number,
    keyStart: number,
    keyEnd: number,
  ): void {
    const at = this.size;
    if (at === this.operation.length) this.#grow();
    this.size = at + 1;
    this.operation[at] = operation;
    this.route[at] = route;
    this.flags[at] = flags;
    this.rowStart[at] = rowStart;
    this.rowEnd[at] = rowEnd;
    this.keyStart[at] = keyStart;
    this.keyEnd[at] = keyEnd;
    this.#count(operation, route, rowEnd - rowStart);
  }

  /**
   * Gives the changes from number `first` on, whose bytes begin at `start`, to an empty batch: those of a transaction that
   * has not ended. None of them may be one that keeps the source's order.
   */
  moveTail(first: number, start: number, to: Batch): void {
    to.arena.copy(this.arena.bytes, start, this.arena.length);
    for (let at = first; at < this.size; at++) {
      const hasRow = this.rowEnd[at]! > 0;
      const [rowStart, rowEnd] = [this.rowStart[at]!, this.rowEnd[at]!];
      to.add(
        this.operation[at] as Operation,
        this.route[at]!,
        this.flags[at]!,
        hasRow ? rowStart - start : 0,
        hasRow ? rowEnd - start : 0,
        this.keyStart[at]! - start,
        this.keyEnd[at]! - start,
      );
    }
    for (const [route, moved] of to.counts) this.#uncount(route, moved);
    this.size = first;
    this.arena.length = start;
  }

  #uncount(route: Route, moved: RouteCounts): void {
    const counts = this.counts.get(route)!;
    counts.inserts -= moved.inserts;
    counts.updates -= moved.updates;
    counts.deletes -= moved.deletes;
    counts.bytes -= moved.bytes;
    if (counts.inserts + counts.updates + counts.deletes === 0) this.counts.delete(route);
    this.#countedRoute = null;
  }

  #grow(): void {
    const room = this.operation.length * 2;
    this.operation = grown(this.operation, new Uint8Array(room));
    this.flags = grown(this.flags, new Uint8Array(room));
    this.rowStart = grown(this.rowStart, new Int32Array(room));
    this.rowEnd = grown(this.rowEnd, new Int32Array(room));
    this.keyStart = grown(this.keyStart, new Int32Array(room));
    this.keyEnd = grown(this.keyEnd, new Int32Array(room));
  }

  /** Rows of one route come in runs. */
  #count(operation: Operation, route: Route, bytes: number): void {
    if (route !== this.#countedRoute) {
      this.#countedRoute = route;
      const counts = this.counts.get(route) ?? { inserts: 0, updates: 0, deletes: 0, bytes: 0 };
      this.counts.set(route, counts);
      this.#counted = counts;
    }
    const counts = this.#counted;
    counts.bytes += bytes;
    if (operation === INSERT) counts.inserts++;
    else if (operation === UPDATE) counts.updates++;
    else if (operation === DELETE) counts.deletes++;
  }
}
