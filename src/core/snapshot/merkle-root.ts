/** One hash over all parts: the Merkle tree of RFC 6962 whose leaves are the parts' descriptions, in their order. */

import { Buffer } from 'node:buffer';
import canonicalize from 'canonicalize';
import { emptyRoot, leafHash, nodeHash } from '../audit/merkle.ts';
import type { SnapshotPart } from './manifest.ts';

/** Hex. A node without a neighbour goes up as it is, which is the split at the largest power of two. */
export const merkleRoot = (parts: readonly SnapshotPart[]): string => {
  let level = parts.map((part) => leafHash(Buffer.from(canonicalize(part) ?? '')));
  if (level.length === 0) return emptyRoot().toString('hex');
  while (level.length > 1)
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, at) => {
      const [left, right] = [level[2 * at]!, level[2 * at + 1]];
      return right ? nodeHash(left, right) : left;
    });
  return level[0]!.toString('hex');
};
