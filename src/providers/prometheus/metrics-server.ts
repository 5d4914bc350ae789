/**
 * Serves /metrics for Prometheus and /health for orchestrators: /health says live and ready with reasons (503 when not
 * live), /health/ready is 503 while some stream does not carry changes.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { XcError } from '../../core/errors/xc-error.ts';
import type { HealthReport } from '../../core/metrics/health.ts';
import type { PrometheusMetrics } from './replication-metrics.ts';

export interface MetricsServer extends AsyncDisposable {
  /** "http://127.0.0.1:9187" */
  readonly url: string;
}

/** A scrape has no body and a short head: whoever takes longer is hung up on. */
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * @param address "127.0.0.1:9187", "[::1]:9187" or ":0" for any free port on loopback
 * @throws XcError XC-1004 for an address that is none, XC-6003 when it cannot be listened on
 */
export const serveMetrics = async (
  address: string,
  metrics: Pick<PrometheusMetrics, 'text' | 'contentType'>,
  health: () => HealthReport,
): Promise<MetricsServer> => {
  const { host, port } = parseAddress(address);
  const server = createServer((request, response) => {
    void answer(request, response, metrics, health);
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  await listen(server, host, port, address);
  const bound = server.address() as AddressInfo;
  const shown = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address;
  return {
    url: `http://${shown}:${bound.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
};

const parseAddress = (text: string): { host: string; port: number } => {
  const match = /^(\[[^\]]+\]|[^:]*):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65_535)
    throw new XcError('XC-1004', { subject: `--metrics-addr ${text}`, why: 'write it as HOST:PORT' });
  const host = (match[1] ?? '').replace(/^\[|\]$/g, '');
  return { host: host === '' ? '127.0.0.1' : host, port };
};

const listen = (server: Server, host: string, port: number, subject: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(new XcError('XC-6003', { subject, why: error.message, cause: error })),
    );
    server.listen(port, host, resolve);
  });

const answer = async (
  request: IncomingMessage,
  response: ServerResponse,
  metrics: Pick<PrometheusMetrics, 'text' | 'contentType'>,
  health: () => HealthReport,
): Promise<void> => {
  const path = (request.url ?? '').split('?')[0];
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return send(response, 405, 'text/plain', 'GET only\n');
  if (path === '/metrics') return sendMetrics(response, metrics);
  if (path !== '/health' && path !== '/health/live' && path !== '/health/ready')
    return send(response, 404, 'text/plain', '/health and /metrics are here\n');
  const report = health();
  const good = path === '/health/ready' ? report.ready : report.live;
  send(response, good ? 200 : 503, 'application/json', `${JSON.stringify(report)}\n`);
};

const sendMetrics = async (
  response: ServerResponse,
  metrics: Pick<PrometheusMetrics, 'text' | 'contentType'>,
): Promise<void> => {
  try {
    send(response, 200, metrics.contentType, await metrics.text());
  } catch (error) {
    send(response, 500, 'text/plain', `${error instanceof Error ? error.message : 'failed'}\n`);
  }
};

const send = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
};
