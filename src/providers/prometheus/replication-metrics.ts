/**
 * The metrics registry. Names follow Prometheus' conventions (base units, _total for counters); they are what dashboards
 * and alerts rely on, and never change their meaning.
 */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Edge, ReplicationMetrics } from '../../core/metrics/metrics.ts';

/** From a publication that is there already to the copy of a large table, in seconds. */
const STEP_BUCKETS = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400];

const EDGE = ['tier', 'from', 'to'] as const;

export interface PrometheusMetrics extends ReplicationMetrics {
  readonly contentType: string;
  /** The registry in Prometheus' text format. */
  text(): Promise<string>;
}

export const prometheusMetrics = (): PrometheusMetrics => {
  const registry = new Registry();
  const registers = [registry];
  const lag = new Gauge({
    name: 'xcrepl_replication_lag_seconds',
    help: 'Time between the commit at the source and now of the newest change applied; region is the target.',
    labelNames: ['tier', 'region', 'source'] as const,
    registers,
  });
  const planned = new Counter({
    name: 'xcrepl_replication_plan_steps_total',
    help: 'Steps of plans that were begun.',
    labelNames: EDGE,
    registers,
  });
  const failures = new Counter({
    name: 'xcrepl_replication_step_failures_total',
    help: 'Steps that failed; reason is the error code.',
    labelNames: [...EDGE, 'reason'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'xcrepl_replication_step_seconds',
    help: 'Duration of steps that were done.',
    labelNames: [...EDGE, 'step'] as const,
    buckets: STEP_BUCKETS,
    registers,
  });
  const success = new Gauge({
    name: 'xcrepl_replication_last_success_timestamp_seconds',
    help: 'Unix time of the end of the last run that was done.',
    labelNames: EDGE,
    registers,
  });
  const rows = new Counter({
    name: 'xcrepl_replication_rows_total',
    help: 'Rows made durable on the target, by operation: copy, insert, update, delete.',
    labelNames: [...EDGE, 'operation'] as const,
    registers,
  });
  const bytes = new Counter({
    name: 'xcrepl_replication_bytes_total',
    help: 'Bytes of rows made durable on the target, by phase: copy, stream.',
    labelNames: [...EDGE, 'phase'] as const,
    registers,
  });
  const retained = new Gauge({
    name: 'xcrepl_replication_retained_wal_bytes',
    help: 'Write-ahead log that the slot holds back at the source.',
    labelNames: EDGE,
    registers,
  });
  const limit = new Gauge({
    name: 'xcrepl_replication_retained_wal_limit_bytes',
    help: 'Write-ahead log that the slot may hold back before it is lost, or the source’s disk is full.',
    labelNames: EDGE,
    registers,
  });
  const left = new Gauge({
    name: 'xcrepl_replication_retained_wal_seconds_left',
    help: 'Seconds until that limit at the present rate; +Inf while the held log does not grow.',
    labelNames: EDGE,
    registers,
  });
  const snapshot = new Gauge({
    name: 'xcrepl_replication_copy_snapshot_age_seconds',
    help: 'Age of the oldest snapshot that copies read under, which VACUUM at the source waits for; 0 while nothing is copied.',
    labelNames: EDGE,
    registers,
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    lag: (edge, lagMs) => lag.set({ tier: edge.tier, region: edge.to, source: edge.from }, lagMs / 1_000),
    planned: (edge, steps) => planned.inc(labels(edge), steps),
    stepFailed: (edge, reason) => failures.inc({ ...labels(edge), reason }),
    stepTook: (edge, kind, ms) => seconds.observe({ ...labels(edge), step: kind }, ms / 1_000),
    succeeded: (edge, atMs) => success.set(labels(edge), atMs / 1_000),
    rows: (edge, operation, count) => rows.inc({ ...labels(edge), operation }, count),
    bytes: (edge, phase, count) => bytes.inc({ ...labels(edge), phase }, count),
    copySnapshot: (edge, ageMs) => snapshot.set(labels(edge), ageMs / 1_000),
    retained: (edge, log) => {
      retained.set(labels(edge), log.bytes);
      limit.set(labels(edge), log.limitBytes);
      left.set(labels(edge), log.secondsLeft ?? Number.POSITIVE_INFINITY);
    },
  };
};

const labels = ({ tier, from, to }: Edge) => ({ tier, from, to });
