import { expect, test } from 'vitest';
import type { Entry } from './entry.ts';
import { Tallying, THRESHOLD_MS } from './tally.ts';

const NOW = 10 * THRESHOLD_MS;

const entry = (bytes: number, ageMs: number, action: Entry['action'] = 'copy'): Entry => ({
  action,
  key: String(bytes),
  source: { bytes, version: '1', modifiedAtMs: NOW - ageMs, sha256: null },
  target: null,
  proven: false,
});

test('what is pending, late, failed and done, as replication time control counts it', () => {
  const tally = new Tallying('us', 'eu');
  const [fresh, old, failing, slow] = [
    entry(1, 1_000),
    entry(10, THRESHOLD_MS + 1),
    entry(100, 2 * THRESHOLD_MS),
    entry(1_000, THRESHOLD_MS - 1_000),
  ] as const;
  for (const one of [fresh, old, failing, slow, entry(5, 0, 'same')]) tally.planned(one, NOW);
  expect(tally.read(NOW)).toMatchObject({
    from: 'us',
    to: 'eu',
    bytesPending: 1_111,
    operationsPending: 4,
    latencyMs: 2 * THRESHOLD_MS,
    missedThreshold: 2,
    replicatedAfterThreshold: 0,
    lastSuccessMs: null,
  });
  tally.done(fresh, false, NOW, NOW + 10);
  tally.done(old, false, NOW, NOW + 10);
  tally.done(failing, true, NOW, NOW + 10);
  // It passed the threshold while it was copied.
  tally.done(slow, false, NOW, NOW + 2_000);
  expect(tally.read(NOW + 2_000)).toMatchObject({
    bytesPending: 100,
    operationsPending: 1,
    latencyMs: 2 * THRESHOLD_MS + 2_000,
    operationsFailed: 1,
    missedThreshold: 3,
    replicatedAfterThreshold: 2,
    bytesReplicated: 1_011,
    operationsReplicated: 3,
  });
});

test('nothing pending is no latency', () => {
  const tally = new Tallying('us', 'eu');
  const one = entry(1, 5_000);
  tally.planned(one, NOW);
  tally.done(one, false, NOW, NOW);
  tally.succeeded(NOW);
  expect(tally.read(NOW)).toMatchObject({ latencyMs: 0, operationsPending: 0, lastSuccessMs: NOW });
});
