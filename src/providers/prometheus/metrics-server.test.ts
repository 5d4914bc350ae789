import { expect, it } from 'vitest';
import { Health } from '../../core/metrics/health.ts';
import { serveMetrics } from './metrics-server.ts';
import { prometheusMetrics } from './replication-metrics.ts';

const serve = (address: string) => serveMetrics(address, prometheusMetrics(), () => new Health().report());

const edge = { tier: 'warm', from: 'us', to: 'eu' };

it('exports the names that dashboards rely on', async () => {
  const metrics = prometheusMetrics();
  metrics.lag(edge, 250);
  metrics.planned(edge, 6);
  metrics.stepFailed(edge, 'XC-6001');
  metrics.stepTook(edge, 'copy-table', 400);
  metrics.succeeded(edge, 1_700_000_000_000);
  metrics.rows(edge, 'copy', 7);
  metrics.bytes(edge, 'stream', 9);
  metrics.retained(edge, {
    bytes: 4_096,
    limitBytes: 8_192,
    bytesPerSecond: 2,
    secondsLeft: 2_048,
    alarm: null,
  });
  const text = await metrics.text();
  for (const line of [
    'xcrepl_replication_lag_seconds{tier="warm",region="eu",source="us"} 0.25',
    'xcrepl_replication_plan_steps_total{tier="warm",from="us",to="eu"} 6',
    'xcrepl_replication_step_failures_total{tier="warm",from="us",to="eu",reason="XC-6001"} 1',
    'xcrepl_replication_step_seconds_bucket{le="0.5",tier="warm",from="us",to="eu",step="copy-table"} 1',
    'xcrepl_replication_step_seconds_bucket{le="0.1",tier="warm",from="us",to="eu",step="copy-table"} 0',
    'xcrepl_replication_last_success_timestamp_seconds{tier="warm",from="us",to="eu"} 1700000000',
    'xcrepl_replication_rows_total{tier="warm",from="us",to="eu",operation="copy"} 7',
    'xcrepl_replication_bytes_total{tier="warm",from="us",to="eu",phase="stream"} 9',
    'xcrepl_replication_retained_wal_bytes{tier="warm",from="us",to="eu"} 4096',
    'xcrepl_replication_retained_wal_limit_bytes{tier="warm",from="us",to="eu"} 8192',
    'xcrepl_replication_retained_wal_seconds_left{tier="warm",from="us",to="eu"} 2048',
  ])
    expect(text.split('\n')).toContain(line);
});

it('serves health and metrics, and nothing else', async () => {
  const health = new Health();
  health.set('a', 'copying');
  await using server = await serveMetrics(':0', prometheusMetrics(), () => health.report());
  const get = async (path: string): Promise<[number, string]> => {
    const response = await fetch(server.url + path);
    return [response.status, await response.text()];
  };
  expect((await get('/metrics'))[1]).toContain('xcrepl_replication_lag_seconds');
  const [status, text] = await get('/health');
  expect([status, JSON.parse(text)]).toEqual([
    200,
    { schemaVersion: 1, live: true, ready: false, reasons: ['stream a: copying'] },
  ]);
  expect((await get('/health/ready'))[0]).toBe(503);
  health.set('a', 'streaming');
  expect((await get('/health/ready'))[0]).toBe(200);
  health.set('a', 'failed');
  expect((await get('/health'))[0]).toBe(503);
  expect((await get('/other'))[0]).toBe(404);
  expect((await fetch(`${server.url}/metrics`, { method: 'POST' })).status).toBe(405);
});

it('says when an address is none, or is taken', async () => {
  await expect(serve('9187')).rejects.toMatchObject({ code: 'XC-1004' });
  await using server = await serve('127.0.0.1:0');
  await expect(serve(new URL(server.url).host)).rejects.toMatchObject({ code: 'XC-6003' });
});
