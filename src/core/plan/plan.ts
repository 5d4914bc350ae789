/**
 * A plan: data, made from facts by a pure function. What an operator reviews here is exactly what runs. It names the
 * hash of the facts that it rests on, expires, carries the epochs that it is good for, and holds no secret.
 */

import type { GateRow } from '../policy/gates/table.ts';
import type { LinkId, StreamKey } from '../topology/link.ts';
import type { TableName } from '../topology/table.ts';
import type { PlannedRow } from '../validation/compare/planned-row.ts';
import type { Finding } from '../validation/finding.ts';

export type { GateRow } from '../policy/gates/table.ts';
export type { Finding } from '../validation/finding.ts';

/** Always "sha256:" and 64 hexadecimal digits. */
export type Sha256 = string;

/** `repair-rows`: mends rows that verification named, beside whatever runs. */
export type PlanKind = 'replicate' | 'repair-rows';

interface StepOf<K extends string> {
  /** s1, s2, …: unique in the plan. */
  readonly id: string;
  readonly kind: K;
  readonly stream: StreamKey;
  /** Ids of steps that must be done before. */
  readonly dependsOn: readonly string[];
}

/** A table in a publication: rows of these values of the tenant column, and these columns (all where absent). */
export interface PublishedTable {
  readonly table: TableName;
  readonly filter: { readonly column: string; readonly values: readonly string[] } | null;
  readonly columns: readonly string[] | null;
}

/** Publications say exactly what the links need: what another tenant owns never leaves the source server. */
export interface PublishTables extends StepOf<'publish-tables'> {
  readonly publication: string;
  readonly tables: readonly PublishedTable[];
  /** Tables without identity, in their own publication that publishes inserts only. */
  readonly insertOnly: readonly PublishedTable[];
}

/** Creates the stream's slot, or a side slot for links that join a running stream. */
export interface CreateSlot extends StepOf<'create-slot'> {
  readonly slot: string;
  readonly links: readonly LinkId[];
  readonly failover: boolean;
  /** In place of one that lost changes: rows of the links are on the target, and are compared instead of copied. */
  readonly repair?: true;
  /** Of links that stream already: only these tables are copied, and then join what the links carry. */
  readonly tables?: readonly JoiningTable[];
}

export interface JoiningTable {
  readonly table: TableName;
  readonly links: readonly LinkId[];
  /** The target lacks it, and the run makes it (ddl: additive). */
  readonly make?: true;
  /** An attempt before this one lost its slot: what it copied is deleted. */
  readonly again?: true;
}

/** Copies one table for all links that need it, in chunks; rows of each link under its own policy. */
export interface CopyTable extends StepOf<'copy-table'> {
  readonly slot: string;
  readonly links: readonly LinkId[];
  readonly table: TableName;
  /** Only ranges whose checksums differ are read, and replaced on the target. */
  readonly repair?: true;
  /** What the target calls it, where not as the source does. */
  readonly into?: TableName;
  /** Estimate; the real cut is made inside the snapshot. */
  readonly chunks: number;
  readonly rows: number;
  readonly bytes: number;
  /** --window: rows of this time range only, by this column. */
  readonly window: {
    readonly column: string;
    readonly from: string | null;
    readonly to: string | null;
  } | null;
}

export interface StreamChanges extends StepOf<'stream-changes'> {
  readonly slot: string;
  readonly until: 'source-position-at-start' | 'stopped';
}

/** Moves links from a side slot to the stream's own slot, and drops the side slot. */
export interface MergeLinks extends StepOf<'merge-links'> {
  readonly slot: string;
  readonly links: readonly LinkId[];
  /** Tables that join what the links carry already; the links themselves are on the stream's own slot. */
  readonly tables?: readonly TableName[];
}

/** Tables that no rule of their links names any more are no longer carried. Rows on the target stay. */
export interface RemoveTables extends StepOf<'remove-tables'> {
  readonly tables: readonly {
    readonly table: TableName;
    /** Its OID at the source. */
    readonly relation: number;
    readonly links: readonly LinkId[];
  }[];
}

/** Takes links that are to be paused off their slot, onto one that keeps what comes after (CORRECTNESS 4, 6). */
export interface SplitLinks extends StepOf<'split-links'> {
  readonly slot: string;
  readonly links: readonly LinkId[];
}

/**
 * Moves links that stream from the stream that they were on to this one, because their rule is dedicated now, or is not
 * any more. With the other stream's engine they change over at one position; without, its slot is taken over with them.
 */
export interface MoveLinks extends StepOf<'move-links'> {
  readonly links: readonly LinkId[];
  readonly from: StreamKey;
}

/** Takes links that no rule names any more off the stream. Rows on the target stay. */
export interface RemoveLinks extends StepOf<'remove-links'> {
  readonly links: readonly LinkId[];
}

export interface Verify extends StepOf<'verify'> {
  readonly links: readonly LinkId[];
  readonly extent: 'changed' | 'full';
  /** --window: only rows of this time range, of the tables whose rule declares a time column. */
  readonly window?: { readonly from: string | null; readonly to: string | null };
}

/** Makes rows of the target what they are at the source, if both are still what they were when they were compared. */
export interface RepairRows extends StepOf<'repair-rows'> {
  readonly table: TableName;
  /** Links that were compared together: the same columns under the same actions. */
  readonly links: readonly LinkId[];
  /** 16 hexadecimal digits: what the rows' digests were made with. */
  readonly seed: string;
  /** By which functions they were made: the servers' own, or sha256. */
  readonly hashing: 'server' | 'portable';
  /** Epoch of the target that the plan is good for. */
  readonly epoch: number;
  readonly rows: readonly PlannedRow[];
}

export type Step =
  | PublishTables
  | CreateSlot
  | CopyTable
  | StreamChanges
  | SplitLinks
  | MergeLinks
  | MoveLinks
  | RemoveLinks
  | RemoveTables
  | Verify
  | RepairRows;

export interface Estimate {
  readonly rows: number;
  readonly bytes: number;
  /** Write-ahead log that the slot will hold back while copying, in bytes. */
  readonly walBytes: number;
  readonly minutes: number;
}

export interface Plan {
  readonly schemaVersion: 1;
  readonly id: string;
  readonly kind: PlanKind;
  readonly createdAt: string;
  readonly expiresAt: string;
  readonly mode: 'live' | 'simulation';
  /** Hash of the facts that decide: identities, timelines, roles, epochs, schema hashes, rules, slots. */
  readonly basis: Sha256;
  /** Hash of the part of the basis that running a plan does not change: a plan cut short may go on while it stands. */
  readonly ground: Sha256;
  readonly config: Sha256;
  /** What was asked for, so that the same can be asked of the facts at the time of running. */
  readonly wish: {
    /** Links that the plan may begin to copy. */
    readonly links: readonly LinkId[];
    readonly tables?: readonly string[];
    readonly window?: { readonly from: string | null; readonly to: string | null };
    readonly chunkBytes?: number;
    readonly repair?: true;
    /** Rows that the target already holds of links that were never copied are deleted first. */
    readonly existing?: 'replace';
    readonly strict: boolean;
  };
  readonly epochs: Readonly<Record<string, number>>;
  readonly steps: readonly Step[];
  readonly policy: readonly GateRow[];
  readonly estimate: Estimate;
  /** What stood out while planning, worst first. */
  readonly findings: readonly Finding[];
  /** Hash of everything above: a plan that was edited after its review is not run. */
  readonly digest: Sha256;
}
