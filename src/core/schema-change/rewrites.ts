/**
 * Files of rows that are others than they were. A TRUNCATE gives a table a new one, and is sent; a rewrite does so too, and
 * is not. The row of pg_class tells them apart: its xmin is the transaction that a streamed TRUNCATE was part of.
 */

import { isVisible, type Snapshot } from '../change/snapshot.ts';
import type { TableName } from '../topology/table.ts';
import type { ShapeChange, TableShape } from './shape.ts';

export type Rewrite =
  { readonly kind: 'rewritten' } | { readonly kind: 'leaf-rewritten'; readonly leaf: TableName };

/** The file that a table or a leaf has now. */
export interface NewFile {
  readonly change: Rewrite;
  readonly storage: number;
  /** Of its row in pg_class: 32 bits. */
  readonly xmin: number;
  /** Columns were altered in the same transaction, which may have written other values than were sent. */
  readonly altered: boolean;
}

export const isRewrite = (change: ShapeChange): change is Rewrite =>
  change.kind === 'rewritten' || change.kind === 'leaf-rewritten';

/** As it is now, but for files of which it is yet to be known where they came from. */
export const withFilesOf = (before: TableShape, now: TableShape, changes: readonly Rewrite[]): TableShape => {
  const leaves = { ...now.leaves };
  for (const change of changes)
    if (change.kind === 'leaf-rewritten') leaves[change.leaf] = before.leaves[change.leaf] ?? 0;
  const whole = changes.some(({ kind }) => kind === 'rewritten');
  return { ...now, leaves, ...(whole ? { storage: before.storage } : {}) };
};

export const withFile = (shape: TableShape, { change, storage }: NewFile): TableShape =>
  change.kind === 'rewritten'
    ? { ...shape, storage }
    : { ...shape, leaves: { ...shape.leaves, [change.leaf]: storage } };

interface Emptying {
  readonly xid: number;
  readonly refilled: boolean;
}

/** Those of a table that are remembered. A file is of the last one, and a look is never far behind. */
const REMEMBERED = 64;

/** What the stream told of tables that were emptied, by their OIDs. */
export class Emptyings {
  readonly #known = new Map<number, Emptying[]>();

  add(relation: number, xid: number, refilled: boolean): void {
    const known = this.#known.get(relation) ?? [];
    this.#known.set(relation, [...known.slice(1 - REMEMBERED), { xid, refilled }]);
  }

  /**
   * Whether the file is one that a streamed TRUNCATE of the relation made, and holds what was sent after it. A leaf that
   * is emptied once more in the same transaction keeps its file, and only the first is sent: where rows came in between
   * nothing is known of it.
   */
  explain(relation: number, { change, xmin, altered }: NewFile): boolean {
    const found = this.#known.get(relation)?.find(({ xid }) => xid === xmin);
    if (found === undefined || altered) return false;
    return change.kind === 'rewritten' || !found.refilled;
  }
}

/** Transactions that the snapshot shows end before the position. */
export interface Horizon {
  readonly position: bigint;
  readonly snapshot: Snapshot;
}

/** Whether all that the file's transaction sent has passed. */
export const isPassed = ({ xmin }: NewFile, horizons: readonly Horizon[], position: bigint): boolean =>
  horizons.some((horizon) => horizon.position <= position && isVisible(horizon.snapshot, xmin));
