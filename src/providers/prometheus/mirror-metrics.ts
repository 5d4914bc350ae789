/** How far mirrors are behind, for node_exporter: one run's numbers, by pair of regions. */

import { Gauge, Registry } from 'prom-client';
import type { MirrorTally } from '../../core/mirror/tally.ts';

const NAMES = {
  bytesPending: ['bytes_pending', 'Bytes of objects that are not yet at the target.'],
  operationsPending: ['operations_pending', 'Objects that are not yet at the target.'],
  latency: [
    'latency_seconds',
    'Age of the oldest change at the source that is not yet at the target; 0 for none.',
  ],
  operationsFailed: ['operations_failed', 'Objects that the last run could not bring to the target.'],
  missedThreshold: [
    'operations_missed_threshold',
    'Changes that were older than 15 minutes before they were at the target.',
  ],
  lateReplicated: [
    'operations_replicated_after_threshold',
    'Those of them that the last run brought to the target.',
  ],
  bytesReplicated: ['bytes_replicated', 'Bytes that the last run brought to the target.'],
  operationsReplicated: ['operations_replicated', 'Objects that the last run brought to the target.'],
  lastSuccess: ['last_success_timestamp_seconds', 'Unix time of the end of the last run without a failure.'],
} as const;

/** @returns Prometheus' text format */
export const mirrorMetricsText = async (tallies: readonly MirrorTally[]): Promise<string> => {
  const registry = new Registry();
  const gauge = (what: keyof typeof NAMES) =>
    new Gauge({
      name: `xcrepl_mirror_${NAMES[what][0]}`,
      help: NAMES[what][1],
      labelNames: ['from', 'to'] as const,
      registers: [registry],
    });
  const gauges = {
    bytesPending: gauge('bytesPending'),
    operationsPending: gauge('operationsPending'),
    operationsFailed: gauge('operationsFailed'),
    missedThreshold: gauge('missedThreshold'),
    lateReplicated: gauge('lateReplicated'),
    bytesReplicated: gauge('bytesReplicated'),
    operationsReplicated: gauge('operationsReplicated'),
  };
  const latency = gauge('latency');
  const lastSuccess = gauge('lastSuccess');
  // Several mirrors of one pair of regions are one pair's numbers.
  const latest = new Map<string, number>();
  for (const tally of tallies) {
    const pair = { from: tally.from, to: tally.to };
    gauges.bytesPending.inc(pair, tally.bytesPending);
    gauges.operationsPending.inc(pair, tally.operationsPending);
    gauges.operationsFailed.inc(pair, tally.operationsFailed);
    gauges.missedThreshold.inc(pair, tally.missedThreshold);
    gauges.lateReplicated.inc(pair, tally.replicatedAfterThreshold);
    gauges.bytesReplicated.inc(pair, tally.bytesReplicated);
    gauges.operationsReplicated.inc(pair, tally.operationsReplicated);
    const key = JSON.stringify(pair);
    latest.set(key, Math.max(latest.get(key) ?? 0, tally.latencyMs));
    latency.set(pair, (latest.get(key) ?? 0) / 1_000);
    if (tally.lastSuccessMs !== null) lastSuccess.set(pair, tally.lastSuccessMs / 1_000);
  }
  return await registry.metrics();
};
