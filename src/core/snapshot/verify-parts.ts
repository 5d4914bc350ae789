/** What is wrong with a snapshot: each fault by its name, with the part and the table that it concerns. */

import { createHash } from 'node:crypto';
import type { XcCode } from '../errors/xc-error.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { behaviourOf } from '../objects/store-errors.ts';
import { partsOf, type Manifest, type SnapshotPart } from './manifest.ts';
import { merkleRoot } from './merkle-root.ts';

export interface SnapshotFault {
  readonly fault: 'missing' | 'truncated' | 'longer' | 'changed' | 'swapped' | 'foreign' | 'manifest';
  readonly code: XcCode;
  readonly key: string;
  /** Null for a fault of the manifest itself. */
  readonly part: number | null;
  readonly table: string | null;
  readonly seen: string;
}

/** What in it does not follow from the parts that it names; empty for one that this program made. */
export const manifestFaults = (manifest: Manifest, key: string): SnapshotFault[] => {
  const { parts, tables, id } = manifest;
  const sum = (of: 'rows' | 'bytes'): number => parts.reduce((total, part) => total + part[of], 0);
  const outside = parts.find((part) => !part.key.startsWith(partsOf(id)));
  const wrong = [
    ...(merkleRoot(parts) === manifest.merkleRoot ? [] : ['its Merkle root is not that of its parts']),
    ...(sum('rows') === manifest.rows && sum('bytes') === manifest.bytes
      ? []
      : ['its sums are not those of its parts']),
    ...(outside ? [`${outside.key} is not below ${partsOf(id)}`] : []),
    ...(parts.every(({ number }, at) => number === at) ? [] : ['its parts are not numbered in order']),
    ...tables.flatMap(({ table, parts: count, rows }) => {
      const own = parts.filter((part) => part.table === table);
      const right = own.length === count && own.reduce((total, part) => total + part.rows, 0) === rows;
      return right ? [] : [`its parts of ${table} are not those that it counts`];
    }),
  ];
  return wrong.map((seen) => ({
    fault: 'manifest' as const,
    code: 'XC-5414' as const,
    key,
    part: null,
    table: null,
    seen,
  }));
};

/** Which snapshot's part has this digest, among those of the same store. */
export type Owner = (sha256: string) => Promise<{ readonly id: string; readonly part: number } | null>;

/** Reads the whole part from its store. Null where every byte is there. */
export const verifyPart = async (
  store: ObjectStore,
  part: SnapshotPart,
  owner: Owner,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<SnapshotFault | null> => {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of store.read(part.key)) {
      signal.throwIfAborted();
      hash.update(piece);
      bytes += piece.byteLength;
    }
  } catch (error) {
    if (behaviourOf(error) !== 'gone') throw error;
    return faultOf(part, 'missing', 'XC-5412', 'the store has no such object');
  }
  const sha256 = hash.digest('hex');
  if (sha256 === part.sha256 && bytes === part.bytes) return null;
  const owned = await owner(sha256);
  if (owned?.id === manifest.id)
    return faultOf(part, 'swapped', 'XC-5413', `it holds what part ${owned.part} should`);
  if (owned) return faultOf(part, 'foreign', 'XC-5413', `it is part ${owned.part} of snapshot ${owned.id}`);
  if (bytes !== part.bytes)
    return faultOf(
      part,
      bytes < part.bytes ? 'truncated' : 'longer',
      'XC-5413',
      `it has ${bytes} bytes instead of ${part.bytes}`,
    );
  return faultOf(part, 'changed', 'XC-5413', `its sha256 is ${sha256} instead of ${part.sha256}`);
};

const faultOf = (
  { key, number, table }: SnapshotPart,
  fault: SnapshotFault['fault'],
  code: XcCode,
  seen: string,
): SnapshotFault => ({ fault, code, key, part: number, table, seen });

/**
 * Parts of a sample, in order: each is as likely as any other, and there is at least one.
 * @param share 0 < share ≤ 1
 */
export const sampleParts = (
  parts: readonly SnapshotPart[],
  share: number,
  random: { next(): number },
): SnapshotPart[] => {
  if (share >= 1) return [...parts];
  const count = Math.max(Math.min(1, parts.length), Math.round(parts.length * share));
  return parts
    .map((part) => ({ part, order: random.next() }))
    .toSorted((a, b) => a.order - b.order)
    .slice(0, count)
    .map(({ part }) => part)
    .toSorted((a, b) => a.number - b.number);
};
