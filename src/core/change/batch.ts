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

export class Batch {
  readonly arena = new Arena();
  readonly operation: Operation[] = [];
  readonly route: Route[] = [];
  readonly flags: number[] = [];
  /** Written row: start and end in the arena; −1 where there is none. */
  readonly rowStart: number[] = [];
  readonly rowEnd: number[] = [];
  /** Key that identifies the row at the target before this change, as written fields without a count. */
  readonly keyStart: number[] = [];
  readonly keyEnd: number[] = [];
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
  /** Some change may only be applied in the order of the source. */
  ordered = false;

  /** Makes it an empty batch again, and keeps its memory. */
  reset(): void {
    this.arena.clear();
    for (const list of [
      this.operation,
      this.route,
      this.flags,
      this.rowStart,
      this.rowEnd,
      this.keyStart,
      this.keyEnd,
    ])
      list.length = 0;
    this.cleared.clear();
    this.counts.clear();
    this.commitsMs.length = 0;
    this.position = ZERO_LSN;
    this.sourceMs = null;
    this.open = false;
    this.ordered = false;
  }

  get size(): number {
    return this.operation.length;
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
    this.operation.push(operation);
    this.route.push(route);
    this.flags.push(flags);
    this.rowStart.push(rowStart);
    this.rowEnd.push(rowEnd);
    this.keyStart.push(keyStart);
    this.keyEnd.push(keyEnd);
    this.#count(operation, route, rowEnd - rowStart);
  }

  #count(operation: Operation, route: Route, bytes: number): void {
    let counts = this.counts.get(route);
    if (!counts) this.counts.set(route, (counts = { inserts: 0, updates: 0, deletes: 0, bytes: 0 }));
    counts.bytes += bytes;
    if (operation === INSERT) counts.inserts++;
    else if (operation === UPDATE) counts.updates++;
    else if (operation === DELETE) counts.deletes++;
  }
}
