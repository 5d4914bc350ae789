/** What one run is made of, and the engine that it opens for a stream. */

import { hostname } from 'node:os';
import { Health } from '../../core/metrics/health.ts';
import type { PlanWish } from '../../core/plan/wish.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { Pace } from '../../core/replication/pace.ts';
import { RunProgress } from '../../core/run/progress.ts';
import type { StreamEngine } from '../../core/replication/engine.ts';
import type { Stream } from '../../core/topology/link.ts';
import { retentionRule } from '../../core/metrics/retained-wal.ts';
import type { RegionConfig } from '../../core/config/schema.ts';
import type { EngineOptions } from '../../providers/postgres/engine/options.ts';
import { openStreamEngine } from '../../providers/registry.ts';
import { type PrometheusMetrics } from '../../providers/prometheus/replication-metrics.ts';
import { type StateDirectory } from '../../providers/system/state-directory.ts';
import type { Host } from '../frame/host.ts';
import { type PlanOptions } from './planning.ts';
import { standbyOf } from './standby.ts';
import { type RunPolicy } from './run-policy.ts';
import { type Selected } from './selection.ts';

export interface RunOptions extends PlanOptions {
  readonly plan?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly standby?: boolean | undefined;
  readonly takeOverAfter?: number | undefined;
  readonly maxDuration?: number | undefined;
  readonly maxLag?: number | undefined;
  readonly existing: 'refuse' | 'replace';
  readonly confirm?: string | undefined;
  readonly metricsAddr?: string | undefined;
  readonly approval?: readonly string[] | undefined;
  readonly reportDir: string;
}

export interface RunParts {
  readonly options: RunOptions;
  readonly gates: RunPolicy;
  readonly selected: Selected;
  readonly hashKeys: Map<string, Uint8Array>;
  readonly wish: PlanWish;
  readonly reviewed: Plan | null;
  readonly run: string;
  readonly store: StateDirectory;
  readonly metrics: PrometheusMetrics;
  readonly health: Health;
}

/** Chunks of one table that are copied side by side: one core decodes what the other sends. */
const COPY_WORKERS = 4;

export const openEngine = (
  host: Host,
  parts: RunParts,
  stream: Stream,
  progress: RunProgress,
  pace: Pace | null = null,
): StreamEngine => {
  const { options, selected, hashKeys, run } = parts;
  const standby = standbyOf(options);
  return openStreamEngine({
    ...(standby ? { standby } : {}),
    ...(pace ? { pace } : {}),
    stream,
    controlPlane: selected.loaded.config.controlPlane,
    dsn: {
      source: selected.dsns.get(stream.source.region)!,
      target: selected.dsns.get(stream.target.region)!,
    },
    hashKeys,
    run,
    host: hostname(),
    pid: process.pid,
    clock: host.clock,
    random: host.random,
    progress: progress.of(stream),
    existing: options.existing,
    // Who stands by has waited before it locks.
    lockTimeoutMs: standby ? 0 : (host.flags.lockTimeoutMs ?? 0),
    copyWorkers: COPY_WORKERS,
    upkeep: upkeepOf(selected.loaded.config.regions[stream.source.region]),
    signal: host.signal,
  });
};

const upkeepOf = (region: RegionConfig | undefined): NonNullable<EngineOptions['upkeep']> => {
  const heartbeat = region?.postgres?.heartbeat;
  return {
    ...(heartbeat === undefined ? {} : { heartbeatMs: heartbeat === 'off' ? null : heartbeat }),
    retention: retentionRule(region),
  };
};
