import { Buffer } from 'node:buffer';
import canonicalize from 'canonicalize';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { emptyRoot, leafHash, nodeHash } from '../audit/merkle.ts';
import { merkleRoot } from './merkle-root.ts';
import { cutsOf, plannedParts } from './part-layout.ts';

const form = { format: 'copy', compression: 'zstd' } as const;

it('puts every page of a table into exactly one part', () => {
  fc.assert(
    fc.property(fc.nat(500), fc.integer({ min: 1, max: 2e9 }), (pages, bytes) => {
      const extents = [{ table: 'shop.orders', pages, bytes }];
      const parts = plannedParts('sn_1', extents, cutsOf(extents, 2 ** 20), form);
      expect(parts[0]?.pages.from).toBeNull();
      expect(parts.at(-1)?.pages.to).toBeNull();
      for (const [at, { pages: range }] of parts.entries())
        if (at > 0) expect(range.from).toBe(parts[at - 1]?.pages.to);
      expect(new Set(parts.map(({ key }) => key)).size).toBe(parts.length);
    }),
  );
});

it('cuts a table that grew as it was cut before', () => {
  const before = [{ table: 'shop.orders', pages: 100, bytes: 819_200 }];
  const cuts = cutsOf(before, 80_000);
  const grown = [{ table: 'shop.orders', pages: 150, bytes: 1_228_800 }];
  const [small, large] = [before, grown].map((extents) => plannedParts('sn_1', extents, cuts, form));
  expect(large!.slice(0, small!.length - 1)).toEqual(small!.slice(0, -1));
});

it('makes parts of what is out of line, too', () => {
  const extents = [{ table: 'shop.files', pages: 10, bytes: 10 * 2 ** 20 }];
  expect(plannedParts('sn_1', extents, cutsOf(extents, 2 ** 20), form)).toHaveLength(10);
});

it('has the root of RFC 6962, and another one when any part changes', () => {
  const parts = plannedParts(
    'sn_1',
    [{ table: 'shop.orders', pages: 5, bytes: 5 }],
    { 'shop.orders': 1 },
    form,
  ).map((part) => ({ ...part, rows: 1, bytes: 1, sha256: 'a', rawBytes: 1, rawSha256: 'a' }));
  const root = merkleRoot(parts);
  expect(root).toMatch(/^[0-9a-f]{64}$/);
  for (const at of parts.keys())
    expect(merkleRoot(parts.map((part, index) => (index === at ? { ...part, rows: 2 } : part)))).not.toBe(
      root,
    );
  const [a, b, c] = parts.map((part) => leafHash(Buffer.from(canonicalize(part) ?? '')));
  expect(merkleRoot(parts.slice(0, 3))).toBe(nodeHash(nodeHash(a!, b!), c!).toString('hex'));
  expect(merkleRoot([])).toBe(emptyRoot().toString('hex'));
});
