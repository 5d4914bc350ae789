import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { DIGITS, keyedHash, type KeyedHash } from './keyed-hash.ts';

const hex = (hasher: KeyedHash, message: Buffer, start = 0, end = message.length): string => {
  const target = Buffer.alloc(DIGITS);
  hasher(message, start, end, target, 0, DIGITS);
  return target.toString('latin1');
};

describe('keyed hash', () => {
  // RFC 4231, section 4: test cases 1 to 4, 6 and 7 (5 is truncated output).
  test.each([
    [
      '0b'.repeat(20),
      Buffer.from('Hi There'),
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
    ],
    [
      Buffer.from('Jefe').toString('hex'),
      Buffer.from('what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    ],
    [
      'aa'.repeat(20),
      Buffer.alloc(50, 0xdd),
      '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
    ],
    [
      '0102030405060708090a0b0c0d0e0f10111213141516171819',
      Buffer.alloc(50, 0xcd),
      '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
    ],
    [
      'aa'.repeat(131),
      Buffer.from('Test Using Larger Than Block-Size Key - Hash Key First'),
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    ],
    [
      'aa'.repeat(131),
      Buffer.from(
        'This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.',
      ),
      '9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
    ],
  ])('RFC 4231 with key %s', (key, message, expected) => {
    expect(hex(keyedHash(Buffer.from(key, 'hex')), message)).toBe(expected);
  });

  test('agrees with createHmac for every length around blocks and their padding, and past the reused memory', () => {
    const lengths = [...Array.from({ length: 260 }, (_, length) => length), 511, 512, 513, 4096, 100_000];
    for (const keyLength of [16, 32, 63, 64, 65, 200]) {
      const key = Buffer.from(Array.from({ length: keyLength }, (_, i) => (i * 37 + 11) & 255));
      const hasher = keyedHash(key);
      // One hasher for all lengths, long before short: nothing of an earlier field may remain.
      for (const length of lengths.toReversed()) {
        const message = Buffer.from(Array.from({ length }, (_, i) => (i * 101 + length) & 255));
        expect(hex(hasher, message)).toBe(createHmac('sha256', key).update(message).digest('hex'));
      }
    }
  });

  test('hashes only the range that it is given', () => {
    const hasher = keyedHash(Buffer.alloc(16, 1));
    expect(hex(hasher, Buffer.from('xxabcyy'), 2, 5)).toBe(hex(hasher, Buffer.from('abc')));
  });

  test('writes as many digits as a column takes, and nothing beside them', () => {
    const key = Buffer.alloc(16, 1);
    const target = Buffer.alloc(20, '.');
    keyedHash(key)(Buffer.from('abc'), 0, 3, target, 2, 16);
    const digits = createHmac('sha256', key).update('abc').digest('hex');
    expect(target.toString()).toBe(`..${digits.slice(0, 16)}..`);
  });

  test('hashes alike without WebAssembly', () => {
    vi.stubGlobal('WebAssembly', undefined);
    const slow = keyedHash(Buffer.alloc(16, 1));
    vi.unstubAllGlobals();
    expect(hex(slow, Buffer.from('abc'))).toBe(hex(keyedHash(Buffer.alloc(16, 1)), Buffer.from('abc')));
  });
});
