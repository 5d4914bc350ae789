/** Where a mode that runs until it is stopped serves /health and /metrics (gate P4). */

import type { Health } from '../../core/metrics/health.ts';
import type { MetricsServer } from '../../providers/prometheus/metrics-server.ts';
import type { PrometheusMetrics } from '../../providers/prometheus/replication-metrics.ts';
import type { Host } from '../frame/host.ts';

export interface ServingOptions {
  readonly follow?: boolean | undefined;
  readonly metricsAddr?: string | undefined;
}

/** On a port of its own where none was named. */
const ANY_PORT = '127.0.0.1:0';

/** Null for what ends by itself. */
export const serveFollowing = async (
  host: Host,
  options: ServingOptions,
  metrics: PrometheusMetrics,
  health: Health,
): Promise<MetricsServer | null> => {
  if (!options.follow) return null;
  const { serveMetrics } = await import('../../providers/prometheus/metrics-server.ts');
  const server = await serveMetrics(options.metricsAddr ?? ANY_PORT, metrics, () => health.report());
  host.narrator.info(`health and metrics on ${server.url}`);
  return server;
};
