/**
 * The positions of one slot, as one look at source and target gave them: what a stream rests on when it starts. The
 * slot is to be read before the checkpoint, and the source's end of log after it, because all three move while a
 * stream flows.
 */

import type { Lsn } from '../../change/lsn.ts';
import type { TimelineSwitch } from './history.ts';

export interface Positions {
  /** Name of the slot, and of its origin. */
  readonly slot: string;
  readonly source: SourceIdentity;
  /** The source that the checkpoint belongs to; null before anything was streamed. */
  readonly known: { readonly systemIdentifier: string; readonly timeline: number | null } | null;
  /** Stored in the target with the rows; null without one. */
  readonly checkpoint: Lsn | null;
  /** Of the replication origin, which a crash of the target keeps; null where there is none, or it may not be asked. */
  readonly origin: Lsn | null;
  /** Null where the source has no such slot. */
  readonly seen: SlotSeen | null;
  /** Whether a publication of the stream is there. */
  readonly published: boolean;
}

export interface SourceIdentity {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Timelines that led to this one; null where that could not be read, and needs not be while it is the known one. */
  readonly history: readonly TimelineSwitch[] | null;
  readonly database: string;
  /** End of the log; null where it is not known. */
  readonly currentLsn: Lsn | null;
}

export interface SlotSeen {
  readonly walStatus: string | null;
  /** pg_replication_slots.invalidation_reason, PostgreSQL 17: wal_removed, idle_timeout, …; null where it is valid. */
  readonly invalidation: string | null;
  readonly confirmedFlush: Lsn | null;
  readonly restart: Lsn | null;
  readonly active: boolean;
  /** Null where nobody looked. */
  readonly plugin: string | null;
  readonly database: string | null;
}
