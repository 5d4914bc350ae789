/**
 * The port to what moves rows: one engine a stream. Step runners call it; the provider of the source and target
 * servers implements it. Every method is idempotent: called again after a crash it finds what is done and goes on.
 */

import type { Lsn } from '../change/lsn.ts';
import type { XcCode, XcError } from '../errors/xc-error.ts';
import type {
  CopyTable,
  CreateSlot,
  Finding,
  MergeLinks,
  PublishTables,
  MoveLinks,
  RemoveLinks,
  SplitLinks,
  RepairRows,
  RemoveTables,
  StreamChanges,
  Verify,
} from '../plan/plan.ts';
import type { Holding } from './holding.ts';
import type { RetainedWal } from '../metrics/retained-wal.ts';
import type { LinkId } from '../topology/link.ts';
import type { TableName } from '../topology/table.ts';
import type { CompareMemory } from '../validation/compare/compare-unit.ts';
import type { PlannedRow } from '../validation/compare/planned-row.ts';
import type { SelfTestedTable } from '../validation/compare/self-test.ts';
import type { TableVerdict } from '../validation/compare/table-verdict.ts';

/** What the engine tells while it works; all counts are since the call before, never totals. */
export interface EngineProgress {
  copied(table: string, rows: number, bytes: number): void;
  streamed(
    link: string,
    table: string,
    counts: { inserts: number; updates: number; deletes: number; bytes: number },
  ): void;
  applied(lagMs: number, position: Lsn): void;
  /** Write-ahead log that a slot of the stream holds back now. */
  retained(log: RetainedWal): void;
  /** Age of the oldest snapshot that its copies read under now; 0 where nothing is copied. */
  copySnapshot?(ageMs: number): void;
  note(text: string): void;
  /** The stream stands until a person does what the error says; the next change that is applied ends it. */
  waiting?(error: XcError): void;
}

export interface Streamed {
  readonly position: Lsn;
  readonly changes: number;
  readonly transactions: number;
  /** Changes that met another state of their row than the source's; the source's version was put there. */
  readonly conflicts: number;
  /** Batches that the target refused as a set and took in the order of the source. */
  readonly fallbacks: number;
  /** What became of the source's schema meanwhile, where that is worth telling. */
  readonly findings?: readonly Finding[];
  /** Links that an error took off the slot, or holds on it: the others went on. */
  readonly errored: readonly LinkId[];
}

/** Why a link is held by an error. Without any value of a row. */
export interface LinkError {
  readonly code: XcCode;
  readonly message: string;
  readonly next: string;
}

export interface ErroredLink extends LinkError {
  readonly link: LinkId;
}

/** Rows that were written to the target; of a repair also what was compared for that. */
export interface Copied {
  readonly rows: number;
  readonly bytes: number;
  readonly chunks: number;
  /** Of a repair: rows whose checksums were compared. */
  readonly compared?: number;
  /** Of a repair: rows deleted on the target, most of which came again. */
  readonly deleted?: number;
}

/** A comparison that was asked for by itself, beside or without a run. */
export interface CompareRequest {
  readonly links: readonly LinkId[];
  readonly wanted: (link: LinkId, table: TableName) => boolean;
  /** Whether that is every table. */
  readonly whole: boolean;
  readonly window?: Verify['window'];
  /** 0 < sample ≤ 1. */
  readonly sample: number;
  /** 16 hexadecimal digits that draw the same sample again. */
  readonly seed?: string;
  readonly maxKeysNamed: number;
  readonly memory: CompareMemory | null;
  /**
   * False while another run holds the stream: then nothing is streamed here, and that run's checkpoints tell when the
   * target has passed a marker.
   */
  readonly acquired: boolean;
}

/** What was found to differ of one table, for a plan that mends it. */
export interface TableDifferences {
  readonly table: TableName;
  readonly links: readonly LinkId[];
  /** What the rows' digests were made of. */
  readonly hashing: 'server' | 'portable';
  readonly rows: readonly PlannedRow[];
  /** There may be more. */
  readonly atLeast: boolean;
}

/** Rows of a repair, by what became of them. */
export interface RepairedRows {
  /** Written to the target. */
  readonly rows: number;
  /** Deleted on the target, because the source has none. */
  readonly deleted: number;
  /** Equal already. */
  readonly equal: number;
  /** Left alone: no longer what was planned, or refused by the target. */
  readonly left: number;
  readonly findings: readonly Finding[];
}

export interface Compared {
  readonly differences: readonly TableDifferences[];
  readonly findings: readonly Finding[];
  readonly tables: readonly TableVerdict[];
  /** Null where there was nothing to compare. */
  readonly seed: string | null;
}

/** Whether verification finds what is planted in scratch copies of rows of these tables. */
export type SelfTestRequest = Pick<CompareRequest, 'links' | 'wanted'>;

export interface SelfTested {
  readonly tested: readonly SelfTestedTable[];
  readonly findings: readonly Finding[];
}

/** Links that changed their stream, from which position on, and what went with the stream that they left. */
export interface Moved {
  readonly links: number;
  readonly position: Lsn | null;
  readonly removed: readonly string[];
}

export interface StreamEngine extends AsyncDisposable {
  /**
   * Who has the stream now; takes nothing.
   * @throws XcError XC-7012 when this run could not end the sessions of the one that has it
   */
  holding(): Promise<Holding>;
  /**
   * Takes the stream's lock and registers the run in the target's xcrepl.streams, checkpoints and replication_jobs.
   * @throws XcError XC-7002 naming host, pid and since
   */
  acquire(): Promise<void>;
  /**
   * Whether the slot's links may be copied, asked before anything of a plan is done.
   * @throws XcError XC-5205 when the target already holds rows of a link that was never copied
   */
  checkSlot(step: CreateSlot): Promise<void>;
  /** @throws XcError XC-7010 when another run has taken the stream over */
  confirm(): Promise<void>;
  publishTables(step: PublishTables): Promise<{ changed: boolean }>;
  createSlot(step: CreateSlot): Promise<{ slot: string; position: Lsn }>;
  copyTable(step: CopyTable, signal: AbortSignal): Promise<Copied>;
  /**
   * Streams until the position, or, where that is null, until the signal aborts; resolves, in both cases at a batch
   * boundary, with where it ended. An abort is not an error.
   */
  streamChanges(step: StreamChanges, options: { until: Lsn | null; signal: AbortSignal }): Promise<Streamed>;
  /**
   * Takes those of the links that are still to be paused off the slot, which nobody reads meanwhile, or marks them as paused
   * where they are when nothing else is on it.
   * @throws XcError XC-5240
   */
  splitLinks(step: SplitLinks): Promise<{ links: number; position: Lsn | null }>;
  /** Merges nothing while a link of the slot is held. */
  mergeLinks(step: MergeLinks, signal: AbortSignal): Promise<{ links: number; position: Lsn | null }>;
  /**
   * Gives links to the stream of the step, which has a slot and does not flow, at a position that both have behind them.
   * With its last link this stream goes.
   */
  handOver(step: MoveLinks, signal: AbortSignal): Promise<Moved>;
  /**
   * Takes links over with the slot of the stream that they are on, which nobody runs; they are merged from there.
   * @throws XcError XC-7002 when somebody runs it, XC-5243 when it has other links
   */
  adopt(step: MoveLinks): Promise<Moved>;
  /**
   * A link in state `stopping` keeps its row, as the mark that it was stopped; the others' rows go. So do slots of their own,
   * and with the last link of the stream what that has on the servers.
   */
  removeLinks(step: RemoveLinks): Promise<{ links: number; removed: readonly string[] }>;
  /** Their counts and chunks go with them. Rows on the target stay. */
  removeTables(step: RemoveTables): Promise<{ tables: number }>;
  verify(
    step: Verify,
    signal: AbortSignal,
  ): Promise<{ findings: readonly Finding[]; tables: number; rows: number }>;
  /** @throws XcError XC-6001 when the run that held the stream ends meanwhile */
  compare(request: CompareRequest, signal: AbortSignal): Promise<Compared>;
  /** Needs no lock: it keeps a run that streams off the table for the moment that a few rows take. */
  repairRows?(step: RepairRows, signal: AbortSignal): Promise<RepairedRows>;
  /** Needs no lock; absent where there is no state to compare with. */
  selfTest?(request: SelfTestRequest, signal: AbortSignal): Promise<SelfTested>;
  /** Removes the link and, with the last one of the stream, slot, publications and origin; says what it removed. */
  dropLink(link: LinkId): Promise<readonly string[]>;
  /**
   * Gives up what paused and errored links keep on the source past their budget. A stream that is followed does so by itself.
   * @returns links that need repair from now on
   */
  expireHeld(): Promise<readonly ErroredLink[]>;
  sourcePosition(): Promise<Lsn>;
  /** Links of the stream that an error holds now, whichever run it came in. */
  erroredLinks(): Promise<readonly ErroredLink[]>;
}
