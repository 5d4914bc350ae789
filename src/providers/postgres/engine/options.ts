/** What an engine is made of. */

import type { RetentionRule } from '../../../core/metrics/retained-wal.ts';
import type { Pace } from '../../../core/replication/pace.ts';
import type { EngineProgress } from '../../../core/replication/engine.ts';
import type { Clock, Random } from '../../../core/time/clock.ts';
import type { Stream } from '../../../core/topology/link.ts';

export interface EngineOptions {
  /** With every link that the configuration names for this pair of databases. */
  readonly stream: Stream;
  readonly controlPlane: string;
  readonly dsn: { readonly source: string; readonly target: string };
  /** Resolved secrets by their names under hashKeys. */
  readonly hashKeys: ReadonlyMap<string, Uint8Array>;
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly progress: EngineProgress;
  /** What to do where the target already holds rows of a link that was never copied. */
  readonly existing: 'refuse' | 'replace';
  /** How long to wait for another run's lock, in milliseconds; 0 does not wait. */
  readonly lockTimeoutMs: number;
  /** A run that stands by: it ends what another one left, and takes the stream from one that is silent for so long. */
  readonly standby?: { readonly silentMs: number };
  /** Budgets of the tenants; absent where none has any. */
  readonly pace?: Pace;
  /** Chunks that are copied side by side. */
  readonly copyWorkers: number;
  /** Age in milliseconds from which a copy’s snapshot is exchanged before its next table, where not as usual. */
  readonly renewSnapshotMs?: number;
  /** What is done beside streams, where not as usual. */
  readonly upkeep?: {
    /** How often a followed stream that stands is helped on; null never. */
    readonly heartbeatMs?: number | null;
    readonly retention?: RetentionRule;
  };
  readonly signal: AbortSignal;
}
