/** What a run measures, as a port: the registry behind it gives the names that dashboards and alerts rely on. */

import type { RetainedWal } from './retained-wal.ts';
import type { Stream } from '../topology/link.ts';

/** Labels of a stream. `tier` is warm until other tiers run. */
export interface Edge {
  readonly tier: string;
  readonly from: string;
  readonly to: string;
}

export const edgeOf = (stream: Stream): Edge => ({
  tier: stream.links[0]?.rule.tier ?? 'warm',
  from: stream.source.region,
  to: stream.target.region,
});

export type RowOperation = 'copy' | 'insert' | 'update' | 'delete';

export interface ReplicationMetrics {
  /** xcrepl_replication_lag_seconds */
  lag(edge: Edge, lagMs: number): void;
  /** xcrepl_replication_plan_steps_total */
  planned(edge: Edge, steps: number): void;
  /** xcrepl_replication_step_failures_total; the reason is an error code */
  stepFailed(edge: Edge, reason: string): void;
  /** xcrepl_replication_step_seconds */
  stepTook(edge: Edge, kind: string, ms: number): void;
  /** xcrepl_replication_last_success_timestamp_seconds */
  succeeded(edge: Edge, atMs: number): void;
  /** xcrepl_replication_rows_total */
  rows(edge: Edge, operation: RowOperation, rows: number): void;
  /** xcrepl_replication_bytes_total */
  bytes(edge: Edge, phase: 'copy' | 'stream', bytes: number): void;
  /** xcrepl_replication_retained_wal_bytes, …_limit_bytes and …_seconds_left */
  retained(edge: Edge, log: RetainedWal): void;
  /** xcrepl_replication_copy_snapshot_age_seconds; 0 where nothing is copied */
  copySnapshot(edge: Edge, ageMs: number): void;
}
