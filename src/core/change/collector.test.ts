import { describe, expect, it } from 'vitest';
import { Collector } from './collector.ts';
import { lsnOf } from './lsn.ts';

describe('a collector with an end', () => {
  it('counts nothing of a transaction past it: neither its changes nor its position', () => {
    const collector = new Collector({ routes: () => null }, lsnOf(100n));
    collector.begin(lsnOf(90n), 0n, 1);
    collector.commit(lsnOf(90n), lsnOf(95n), 0n);
    expect(collector.batch.position).toBe(95n);
    // What the server had sent already when the end was met.
    for (const at of [100n, 120n]) {
      collector.begin(lsnOf(at), 0n, Number(at));
      expect(collector.reachedEnd).toBe(true);
      expect(collector.inTransaction).toBe(false);
      collector.commit(lsnOf(at), lsnOf(at + 5n), 0n);
    }
    expect(collector.batch.position).toBe(95n);
    expect(collector.batch.commitsMs).toHaveLength(1);
  });
});
