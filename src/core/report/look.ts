/** What one look at the servers of a stream gave. Null stands for a server that could not be asked. */

import type { LinkState } from '../plan/facts.ts';
import type { Lsn } from '../change/lsn.ts';
import { type RetentionRule } from '../metrics/retained-wal.ts';
import { type Stream } from '../topology/link.ts';
import type { SlotSeen } from '../validation/positions/positions.ts';

export interface SourceLook {
  readonly currentLsn: Lsn;
  /** The source's clock: lag is measured against it, so that ours does not matter. */
  readonly nowMs: number;
  /** Mean since the statistics were reset; null or absent where unknown. */
  readonly walBytesPerSecond?: number | null;
  /** Null for a change log, which has none. */
  readonly slots: ReadonlyMap<string, SlotHealth> | null;
  /** The oldest snapshot that a run’s sessions read under, by the run as application_name has it, which may cut it off. */
  readonly snapshots?: ReadonlyMap<string, { readonly ageMs: number; readonly transactions: number }>;
  /** What the positions are judged by; absent where nobody asked. */
  readonly seen?: {
    readonly systemIdentifier: string;
    readonly timeline: number;
    readonly database: string;
    readonly slots: ReadonlyMap<string, SlotSeen>;
    readonly publications: ReadonlySet<string>;
  };
}

export interface SlotHealth {
  readonly walStatus: string | null;
  readonly active: boolean;
  /** Position up to which the source may forget. */
  readonly confirmedFlush: string | null;
  /** Log that the slot holds back, in bytes. */
  readonly retainedBytes: number | null;
  /** Bytes that may still be written before the slot is lost; null without a limit. */
  readonly safeWalBytes: number | null;
}

export interface TargetLook {
  readonly initialised: boolean;
  readonly links: ReadonlyMap<string, LinkLook>;
  readonly checkpoints: ReadonlyMap<string, { readonly position: Lsn; readonly caughtUpToMs: number | null }>;
  /** Tables that join links which stream already, by link. */
  readonly joining?: ReadonlyMap<string, readonly JoiningLook[]>;
  /** By stream key. */
  readonly sequences?: ReadonlyMap<string, SequencesLook>;
  /** By stream key. */
  readonly runners: ReadonlyMap<string, Runner>;
  /** Sources that checkpoints belong to, by stream key. */
  readonly sources?: ReadonlyMap<string, { readonly systemIdentifier: string; readonly timeline: number }>;
  /** How the newest run of a stream ended, by stream key. */
  readonly ended?: ReadonlyMap<string, { readonly run: string; readonly outcome: string }>;
}

export interface JoiningLook {
  readonly table: string;
  /** Side slot that it is on. */
  readonly slot: string;
  readonly state: 'copying' | 'catching-up';
}

export interface SequencesLook {
  readonly carried: number;
  /** The target has none for the column, or the role may not set it. */
  readonly left: readonly { readonly sequence: string; readonly why: string }[];
  readonly at: string;
}

export interface LinkLook {
  readonly slot: string;
  readonly state: LinkState;
  readonly why: string | null;
  readonly takenOff: boolean;
  readonly lastSuccessAt: string | null;
  readonly verifiedAt: string | null;
  readonly verdict: 'pass' | 'fail' | 'unknown' | null;
  readonly tables: readonly TableStatus[];
}

export interface TableStatus {
  readonly table: string;
  /** What the target calls it, where not as the source does. */
  readonly into?: string;
  readonly copiedRows: number;
  readonly copiedBytes: number;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly bytes: number;
  readonly conflicts: number;
}

export interface Runner {
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
}

/** Null stands for a server that could not be asked. */
export interface StreamLook {
  readonly stream: Stream;
  readonly source: SourceLook | null;
  readonly target: TargetLook | null;
  /** When the log that a slot of the source holds back is an alarm. */
  readonly retention?: RetentionRule;
  /** Why a server could not be asked. */
  readonly errors: readonly string[];
}
