/** Facts are gathered from two servers, one after the other, while a stream flows between them. */

import { expect, test } from 'vitest';
import { traffic } from '../../fixtures/shop/traffic.ts';
import { slotName } from '../../src/core/topology/link.ts';
import { gatherFacts } from '../../src/providers/postgres/facts.ts';
import { systemClock } from '../../src/providers/system/clock.ts';
import { makePair } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { initTarget, openTestEngine } from './test-engine.ts';

/** The slot is acknowledged five times a second: so many looks meet an acknowledgement between their two halves. */
const LOOKS = 40;

test('a slot is never seen ahead of a checkpoint that it is not ahead of', async () => {
  await using pair = await makePair({ tenants: ['acme'] });
  await initTarget(pair);
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
  const { stream } = engine;
  const slot = slotName(stream.key);
  const stop = new AbortController();
  const streaming = engine.engine.streamChanges(
    { id: 's', kind: 'stream-changes', stream: stream.key, dependsOn: [], slot, until: 'stopped' },
    { until: null, signal: stop.signal },
  );
  await using client = await pair.source.connect();
  const writing = traffic(client, { seed: 1, tenants: ['acme'], perSecond: 200, signal: stop.signal });
  const positions = new Set<string>();
  try {
    for (let look = 0; look < LOOKS; look++) {
      const facts = await gatherFacts({
        streams: [stream],
        selected: new Set(),
        dsns: new Map([
          [SOURCE_REGION, pair.source.dsn],
          [TARGET_REGION, pair.target.dsn],
        ]),
        roles: new Map(),
        clock: systemClock,
        signal: new AbortController().signal,
      });
      const [{ source, target } = { source: null, target: null }] = facts.streams;
      const confirmed = source?.slots.find(({ name }) => name === slot)?.confirmedFlush ?? null;
      const checkpoint = target?.checkpoints.find((row) => row.slot === slot)?.position ?? null;
      if (confirmed === null || checkpoint === null) throw new Error('no slot or no checkpoint');
      positions.add(String(confirmed));
      expect(confirmed <= checkpoint, `${confirmed} is past ${checkpoint}, at look ${look}`).toBe(true);
    }
  } finally {
    stop.abort();
    await writing;
    await streaming;
  }
  // Else nothing moved, and nothing was shown.
  expect(positions.size).toBeGreaterThan(3);
});
