import { describe, expect, test } from 'vitest';
import { ZERO_LSN } from '../../change/lsn.ts';
import { COMPARE_LIMITS, compareUnit, type CompareContext, type Unit } from './compare-unit.ts';
import { FakeTable } from './fake-table.fixture.ts';
import type { Chunk, Marker } from './side.ts';

const CHUNKS: Chunk[] = [
  { after: null, upTo: ['100'], buckets: 8 },
  { after: ['100'], upTo: ['200'], buckets: 8 },
  { after: ['200'], upTo: null, buckets: 8 },
];

const allChunks = async function* (): AsyncGenerator<Chunk> {
  yield* CHUNKS;
};

const pair = (rows = 300): { source: FakeTable; target: FakeTable; unit: Unit } => {
  const source = new FakeTable();
  const target = new FakeTable();
  for (let key = 1; key <= rows; key++) {
    source.set(key, `v${key}`);
    target.set(key, `v${key}`);
  }
  return { source, target, unit: { source, target, chunks: allChunks } };
};

/** `onMarker` is what happens in the world between the reading of the source and that of the target. */
const context = (onMarker: () => void = () => {}, more: Partial<CompareContext> = {}): CompareContext => {
  const marker: Marker = {
    emit: () => Promise.resolve(ZERO_LSN),
    passed: () => {
      onMarker();
      return Promise.resolve();
    },
  };
  return {
    marker,
    clock: { nowMs: () => 0, sleep: () => Promise.resolve() },
    random: { next: () => 0.5 },
    limits: COMPARE_LIMITS,
    sample: 1,
    signal: new AbortController().signal,
    progress: () => {},
    ...more,
  };
};

describe('compareUnit', () => {
  test('equal tables pass without a second reading', async () => {
    const { unit, source, target } = pair();
    const result = await compareUnit(unit, context());
    expect(result).toMatchObject({
      sourceRows: 300,
      targetRows: 300,
      checkedChunks: 3,
      chunks: 3,
      complete: true,
    });
    expect(result.differences).toEqual([]);
    expect([source.asked, target.asked]).toEqual([
      { digests: 3, keys: 0, rows: 0 },
      { digests: 3, keys: 0, rows: 0 },
    ]);
  });

  test('a changed, a missing and an extra row are each found and named', async () => {
    const { unit, target } = pair();
    target.set(7, 'other').delete(150).set(999, 'v999');
    const result = await compareUnit(unit, context());
    expect(result.differences.toSorted((a, b) => Number(a.key[0]) - Number(b.key[0]))).toMatchObject([
      { kind: 'changed', key: ['7'], tenant: 'odd' },
      { kind: 'missing', key: ['150'], tenant: 'even' },
      { kind: 'extra', key: ['999'], tenant: 'odd' },
    ]);
    expect(result.unsettled).toEqual([]);
  });

  test('a target that is only behind passes once it has passed the marker', async () => {
    const { unit, source, target } = pair();
    source.set(7, 'new').delete(8).set(500, 'v500');
    const result = await compareUnit(
      unit,
      context(() => target.set(7, 'new').delete(8).set(500, 'v500')),
    );
    expect(result).toMatchObject({ differences: [], unsettled: [] });
  });

  test('a key that the source keeps writing is unsettled, never equal, when the target does not follow', async () => {
    const { unit, source } = pair();
    let n = 0;
    source.set(7, 'n0');
    const result = await compareUnit(
      unit,
      context(() => source.set(7, `n${++n}`)),
    );
    expect(result.differences).toEqual([]);
    expect(result.unsettled).toMatchObject([{ kind: 'changed', key: ['7'], tenant: 'odd' }]);
    expect(result.rounds).toBe(COMPARE_LIMITS.maxRounds);
  });

  test('a row written back to what it was counts as written: not confirmed in that round', async () => {
    const { unit, source, target } = pair();
    target.set(7, 'other');
    let writes = 0;
    const result = await compareUnit(
      unit,
      context(() => {
        if (writes++ < 2) source.set(7, 'v7');
      }),
    );
    expect(result.differences).toHaveLength(1);
    expect(result.rounds).toBeGreaterThan(1);
  });

  test('a busy key that the target follows passes', async () => {
    const { unit, source, target } = pair();
    source.set(7, 'n0');
    let n = 0;
    const result = await compareUnit(
      unit,
      context(() => {
        source.set(7, `n${++n}`);
        target.set(7, `n${n}`);
      }),
    );
    expect(result).toMatchObject({ differences: [], unsettled: [] });
  });

  test('a target that stays at an older version of the row fails, although it once agreed with the source', async () => {
    const { unit, source, target } = pair();
    target.set(7, 'z');
    let markers = 0;
    const result = await compareUnit(
      unit,
      context(() => {
        // After the first reading the source moves on, and the target arrives where the source was: a lost update.
        if (markers++ === 0) source.set(7, 'newer');
        else target.set(7, 'v7');
      }),
    );
    expect(result.differences).toMatchObject([{ kind: 'changed', key: ['7'], tenant: 'odd' }]);
  });

  test('an empty target fails early, in bounded memory, and says that there may be more', async () => {
    const { unit, source, target } = pair(5_000);
    target.rowsByKey.clear();
    const limits = { ...COMPARE_LIMITS, maxDifferences: 50, keysAtOnce: 20, portionRows: 2_000 };
    const result = await compareUnit(
      unit,
      context(() => {}, { limits }),
    );
    expect(result.complete).toBe(false);
    expect(result.differences.length).toBeGreaterThanOrEqual(50);
    expect(result.differences.length).toBeLessThan(50 + 20);
    expect(source.mostKeys).toBeLessThanOrEqual(2_000);
  });

  test('many rows that are only behind do not end the comparison early', async () => {
    const { unit, source, target } = pair();
    for (let key = 1; key <= 300; key++) source.set(key, `w${key}`);
    const limits = { ...COMPARE_LIMITS, maxDifferences: 5, keysAtOnce: 20, portionRows: 30 };
    let behind = true;
    const result = await compareUnit(
      unit,
      context(
        () => {
          if (!behind) return;
          behind = false;
          for (let key = 1; key < 300; key++) target.set(key, `w${key}`);
        },
        { limits },
      ),
    );
    expect(result).toMatchObject({ complete: true, differences: [{ kind: 'changed', key: ['300'] }] });
  });

  test('a sample looks at some chunks, and at some buckets of an only chunk', async () => {
    const { unit } = pair();
    let n = 0;
    const random = { next: () => [0.1, 0.9, 0.9][n++] ?? 0.9 };
    expect(
      await compareUnit(
        unit,
        context(() => {}, { sample: 0.5, random }),
      ),
    ).toMatchObject({
      checkedChunks: 1,
      chunks: 3,
      sourceRows: 100,
    });
    const whole: Unit = {
      ...unit,
      chunks: async function* () {
        yield { after: null, upTo: null, buckets: 8 };
      },
    };
    const part = await compareUnit(
      whole,
      context(() => {}, { sample: 0.25 }),
    );
    expect(part.sourceRows).toBeGreaterThan(0);
    expect(part.sourceRows).toBeLessThan(150);
  });

  test('stops at the signal', async () => {
    const { unit } = pair();
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    await expect(
      compareUnit(
        unit,
        context(() => {}, { signal: abort.signal }),
      ),
    ).rejects.toThrow('enough');
  });
});
