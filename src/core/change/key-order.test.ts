import { describe, expect, it } from 'vitest';
import { keyOrder } from './key-order.ts';

const ordered = (keys: readonly (string | Buffer)[]): string[] => {
  const parts = keys.map((key) => Buffer.from(key));
  const ranges: number[] = [];
  let at = 0;
  for (const part of parts) ranges.push(at, (at += part.length));
  return Array.from(keyOrder(Buffer.concat(parts), ranges), (place) => parts[place]!.toString('latin1'));
};

const int8 = (value: number): Buffer => {
  const bytes = Buffer.alloc(12);
  bytes.writeInt32BE(8, 0);
  bytes.writeBigInt64BE(BigInt(value), 4);
  return bytes;
};

describe('the order of keys', () => {
  it('is that of their bytes past what all begin with', () => {
    expect(ordered(['acme-30', 'acme-4', 'acme-1', 'acme-29'])).toEqual([
      'acme-1',
      'acme-29',
      'acme-30',
      'acme-4',
    ]);
  });

  it('is the numbers’ own for integers of one tenant', () => {
    const values = [70_000, 3, 66_000, 255, 256, 1];
    const sorted = values.toSorted((a, b) => a - b).map((value) => int8(value).toString('latin1'));
    expect(ordered(values.map(int8))).toEqual(sorted);
  });

  it('keeps every key, whether one is the beginning of another, or all are the same', () => {
    expect(ordered(['ab', 'a', '', 'abc'])).toEqual(['', 'a', 'ab', 'abc']);
    expect(ordered(['x', 'x', 'x'])).toEqual(['x', 'x', 'x']);
    expect(ordered([])).toEqual([]);
    expect(ordered(['one'])).toEqual(['one']);
  });

  it('leaves more keys than it can number where they are', () => {
    const ranges = Array.from({ length: 70_000 * 2 }, (_, at) => at & 1);
    const order = keyOrder(Buffer.from('k'), ranges);
    expect(order.length).toBe(70_000);
    expect(order[69_999]).toBe(69_999);
  });
});
