/** The vectors are those of the reference implementations of RFC 6962 (certificate-transparency, transparency-dev/merkle). */

import { Buffer } from 'node:buffer';
import { assert, asyncProperty, integer, nat } from 'fast-check';
import { expect, test } from 'vitest';
import { GrowingTree } from './growing-tree.ts';
import {
  consistencyProof,
  inclusionProof,
  leafHash,
  nodeHash,
  provesConsistency,
  provesInclusion,
  treeRoot,
  type NodeReader,
} from './merkle.ts';

const ENTRIES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));

const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const nodesOf =
  (entries: readonly Buffer[]): NodeReader =>
  // eslint-disable-next-line @typescript-eslint/require-await -- the port is asynchronous
  async (level, index) => {
    const of = (start: number, end: number): Buffer =>
      end - start === 1
        ? leafHash(entries[start]!)
        : nodeHash(of(start, (start + end) / 2), of((start + end) / 2, end));
    return of(index * 2 ** level, (index + 1) * 2 ** level);
  };

const NODES = nodesOf(ENTRIES);

test.each(ROOTS.map((root, size) => [size, root] as const))('a tree of %i leaves', async (size, root) => {
  expect((await treeRoot(size, NODES)).toString('hex')).toBe(root);
  const tree = new GrowingTree();
  for (const entry of ENTRIES.slice(0, size)) tree.append(leafHash(entry), () => expect.unreachable());
  expect(tree.head().size).toBe(size);
  expect(Buffer.from(tree.head().root).toString('hex')).toBe(root);
});

const leaf = (at: number): Buffer => leafHash(ENTRIES[at]!);

/** RFC 6962, section 2.1.3: the paths of d0, d3, d4 and d6, and the proofs from 3, 4 and 6, in a tree of seven. */
test('the proofs of the RFC’s example', async () => {
  const [g, h, i] = [nodeHash(leaf(0), leaf(1)), nodeHash(leaf(2), leaf(3)), nodeHash(leaf(4), leaf(5))];
  const j = leaf(6);
  const [k, l] = [nodeHash(g, h), nodeHash(i, j)];
  expect(await inclusionProof(0, 7, NODES)).toEqual([leaf(1), h, l]);
  expect(await inclusionProof(3, 7, NODES)).toEqual([leaf(2), g, l]);
  expect(await inclusionProof(4, 7, NODES)).toEqual([leaf(5), j, k]);
  expect(await inclusionProof(6, 7, NODES)).toEqual([i, k]);
  expect(await consistencyProof(3, 7, NODES)).toEqual([leaf(2), leaf(3), g, l]);
  expect(await consistencyProof(4, 7, NODES)).toEqual([l]);
  expect(await consistencyProof(6, 7, NODES)).toEqual([i, j, k]);
});

/** Every proof with one bit changed. */
function* mutations(proof: readonly Buffer[]): Generator<Buffer[]> {
  for (const [at, step] of proof.entries())
    for (let bit = 0; bit < step.length * 8; bit++) {
      const changed = Buffer.from(step);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      yield proof.with(at, changed);
    }
}

test('proofs of inclusion hold, and with any bit changed do not', async () => {
  for (let size = 1; size <= 8; size++)
    for (let index = 0; index < size; index++) {
      const proof = await inclusionProof(index, size, NODES);
      const root = Buffer.from(ROOTS[size]!, 'hex');
      const own = leaf(index);
      expect(provesInclusion({ index, size, root }, own, proof)).toBe(true);
      for (const wrong of mutations(proof))
        expect(provesInclusion({ index, size, root }, own, wrong)).toBe(false);
      for (const [wrong] of mutations([root]))
        expect(provesInclusion({ index, size, root: wrong! }, own, proof)).toBe(false);
      for (const [wrong] of mutations([own]))
        expect(provesInclusion({ index, size, root }, wrong!, proof)).toBe(false);
      expect(provesInclusion({ index, size, root }, own, [...proof, own])).toBe(false);
      expect(provesInclusion({ index, size, root }, own, proof.slice(1))).toBe(size === 1);
      for (let other = 0; other <= 9; other++)
        if (other !== index) expect(provesInclusion({ index: other, size, root }, own, proof)).toBe(false);
    }
});

test('proofs of consistency hold, and with any bit changed do not', async () => {
  for (let to = 0; to <= 8; to++)
    for (let from = 0; from <= to; from++) {
      const [first, second] = [from, to].map((size) => ({ size, root: Buffer.from(ROOTS[size]!, 'hex') }));
      const proof = await consistencyProof(from, to, NODES);
      expect(provesConsistency(first!, second!, proof)).toBe(true);
      for (const wrong of mutations(proof)) expect(provesConsistency(first!, second!, wrong)).toBe(false);
      for (const [root] of mutations([first!.root]))
        expect(provesConsistency({ size: from, root: root! }, second!, proof)).toBe(false);
      if (from > 0)
        for (const [root] of mutations([second!.root]))
          expect(provesConsistency(first!, { size: to, root: root! }, proof)).toBe(false);
      expect(provesConsistency(first!, second!, [...proof, first!.root])).toBe(false);
      if (proof.length > 0) expect(provesConsistency(first!, second!, proof.slice(1))).toBe(false);
      if (from < to) expect(provesConsistency(second!, first!, proof)).toBe(false);
    }
});

test('proofs in trees of any size', async () => {
  await assert(
    asyncProperty(integer({ min: 1, max: 300 }), nat(), nat(), async (size, at, of) => {
      const entries = Array.from({ length: size }, (_, number) => Buffer.from(String(number)));
      const node = nodesOf(entries);
      const [index, first] = [at % size, of % (size + 1)];
      const root = await treeRoot(size, node);
      const included = await inclusionProof(index, size, node);
      expect(provesInclusion({ index, size, root }, leafHash(entries[index]!), included)).toBe(true);
      const old = { size: first, root: await treeRoot(first, node) };
      expect(provesConsistency(old, { size, root }, await consistencyProof(first, size, node))).toBe(true);
    }),
    { numRuns: 60 },
  );
});
