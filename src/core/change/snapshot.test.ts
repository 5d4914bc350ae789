import { describe, expect, test } from 'vitest';
import { isVisible, parseSnapshot } from './snapshot.ts';

describe('snapshot', () => {
  const snapshot = parseSnapshot('100:110:102,105');

  test.each([
    [99, true],
    [100, true],
    [102, false],
    [103, true],
    [105, false],
    [109, true],
    [110, false],
    [5_000, false],
  ])('transaction %i is visible: %s', (xid, visible) => {
    expect(isVisible(snapshot, xid)).toBe(visible);
  });

  test('knows transactions of the epoch before and after the counter wrapped', () => {
    const wrapped = parseSnapshot(`${(1n << 32n) + 10n}:${(1n << 32n) + 12n}:${(1n << 32n) + 11n}`);
    expect(isVisible(wrapped, 4_294_967_290)).toBe(true);
    expect(isVisible(wrapped, 9)).toBe(true);
    expect(isVisible(wrapped, 11)).toBe(false);
    expect(isVisible(wrapped, 12)).toBe(false);
    const before = parseSnapshot('4294967290:4294967294:');
    expect(isVisible(before, 5)).toBe(false);
  });

  test.each(['', '1:2', '1:2:x', '-1:2:'])('refuses %o', (text) => {
    expect(() => parseSnapshot(text)).toThrow(/malformed value/);
  });
});
