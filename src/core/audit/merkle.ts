/**
 * The Merkle tree of RFC 6962, section 2.1: hashes of leaves and nodes, proofs that an entry is in a tree and that one
 * tree is the beginning of another, and their verification (the iterative form of RFC 9162, sections 2.1.3 and 2.1.4).
 */

import { Buffer } from 'node:buffer';
import { hash } from 'node:crypto';

export const HASH_BYTES = 32;
const LEAF_PREFIX = 0;
const NODE_PREFIX = 1;

/** Reads the hash of the perfect subtree over the leaves [index · 2^level, (index + 1) · 2^level). */
export type NodeReader = (level: number, index: number) => Promise<Uint8Array>;

/** MTH of no leaves. */
export const emptyRoot = (): Buffer => digestOf(Buffer.alloc(0));

/** One place for all leaves, and one for all pairs, since hashing never awaits. */
let leaf = Buffer.alloc(4096, LEAF_PREFIX);

export const leafHash = (entry: Uint8Array): Buffer => {
  if (entry.length >= leaf.length) leaf = Buffer.alloc(2 * entry.length, LEAF_PREFIX);
  leaf.set(entry, 1);
  return digestOf(leaf.subarray(0, 1 + entry.length));
};

const pair = Buffer.alloc(1 + 2 * HASH_BYTES, NODE_PREFIX);

export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return digestOf(pair);
};

/** A string result is cheaper to make than a Buffer; `binary` keeps each byte as one character. */
const digestOf = (bytes: Uint8Array): Buffer => Buffer.from(hash('sha256', bytes, 'binary'), 'binary');

/** MTH(D[0:size]). */
export const treeRoot = async (size: number, node: NodeReader): Promise<Buffer> =>
  size === 0 ? emptyRoot() : await rangeHash(0, size, node);

/** PATH(index, D[0:size]): from the leaf's sibling up to the root's child. */
export const inclusionProof = async (index: number, size: number, node: NodeReader): Promise<Buffer[]> => {
  if (!(index >= 0 && index < size)) throw new RangeError(`no entry ${index} in a tree of ${size}`);
  return await path(index, 0, size, node);
};

/** PROOF(first, D[0:second]): what shows that the tree of `first` leaves is the beginning of that of `second`. */
export const consistencyProof = async (
  first: number,
  second: number,
  node: NodeReader,
): Promise<Buffer[]> => {
  if (!(first >= 0 && first <= second)) throw new RangeError(`a tree of ${second} has no first ${first}`);
  return first === 0 || first === second ? [] : await subProof(first, 0, second, true, node);
};

const path = async (index: number, start: number, end: number, node: NodeReader): Promise<Buffer[]> => {
  if (end - start === 1) return [];
  const split = start + splitOf(end - start);
  return index < split
    ? [...(await path(index, start, split, node)), await rangeHash(split, end, node)]
    : [...(await path(index, split, end, node)), await rangeHash(start, split, node)];
};

const subProof = async (
  first: number,
  start: number,
  end: number,
  whole: boolean,
  node: NodeReader,
): Promise<Buffer[]> => {
  if (first === end) return whole ? [] : [await rangeHash(start, end, node)];
  const split = start + splitOf(end - start);
  return first <= split
    ? [...(await subProof(first, start, split, whole, node)), await rangeHash(split, end, node)]
    : [...(await subProof(first, split, end, false, node)), await rangeHash(start, split, node)];
};

/** MTH(D[start:end]) of a range that a split of the tree gives: its perfect subtrees, combined from the right. */
const rangeHash = async (start: number, end: number, node: NodeReader): Promise<Buffer> => {
  const parts: Uint8Array[] = [];
  for (let at = start; at < end;) {
    let level = 0;
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= end) level++;
    parts.push(await node(level, at / 2 ** level));
    at += 2 ** level;
  }
  return Buffer.from(parts.reduceRight((right, left) => nodeHash(left, right)));
};

/** The largest power of two below the size, which is at least 2. */
const splitOf = (size: number): number => 2 ** (Math.ceil(Math.log2(size)) - 1);

const equal = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.compare(a, b) === 0;

const half = (value: number): number => Math.floor(value / 2);

const wellFormed = (proof: readonly Uint8Array[]): boolean =>
  proof.every((step) => step.length === HASH_BYTES);

/** Whether the proof shows that the leaf is at `index` of the tree of `size` leaves with this root. */
export const provesInclusion = (
  { index, size, root }: { readonly index: number; readonly size: number; readonly root: Uint8Array },
  leaf: Uint8Array,
  proof: readonly Uint8Array[],
): boolean => {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (!wellFormed(proof)) return false;
  let [place, last, current] = [index, size - 1, leaf];
  for (const step of proof) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      current = nodeHash(step, current);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else current = nodeHash(current, step);
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && equal(current, root);
};

export interface TreeHead {
  readonly size: number;
  readonly root: Uint8Array;
}

/** Whether the proof shows that the first tree is the beginning of the second. */
export const provesConsistency = (
  first: TreeHead,
  second: TreeHead,
  proof: readonly Uint8Array[],
): boolean => {
  if (!Number.isSafeInteger(first.size) || !Number.isSafeInteger(second.size)) return false;
  if (first.size < 0 || first.size > second.size || !wellFormed(proof)) return false;
  if (first.size === 0) return proof.length === 0 && equal(first.root, emptyRoot());
  if (first.size === second.size) return proof.length === 0 && equal(first.root, second.root);
  const steps = [...proof];
  let [place, last] = [first.size - 1, second.size - 1];
  while (place % 2 === 1) [place, last] = [half(place), half(last)];
  // A first tree that is one perfect subtree is its own first step.
  const start = place === 0 ? first.root : steps.shift();
  if (start === undefined) return false;
  let [old, current] = [start, start];
  for (const step of steps) {
    if (last === 0) return false;
    if (place % 2 === 1 || place === last) {
      old = nodeHash(step, old);
      current = nodeHash(step, current);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else current = nodeHash(current, step);
    [place, last] = [half(place), half(last)];
  }
  return last === 0 && equal(old, first.root) && equal(current, second.root);
};
