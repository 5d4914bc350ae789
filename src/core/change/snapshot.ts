/**
 * pg_current_snapshot() in its text form, "xmin:xmax:xip,…" (PostgreSQL documentation, 9.28, Transaction ID and Snapshot
 * Information), and the question that a resumed copy asks of it: had this transaction ended when the chunk was read?
 */

import { XcError } from '../errors/xc-error.ts';

export interface Snapshot {
  readonly xmin: bigint;
  readonly xmax: bigint;
  readonly running: ReadonlySet<bigint>;
}

/** @throws XcError XC-1004 */
export const parseSnapshot = (text: string): Snapshot => {
  const match = /^(\d+):(\d+):((?:\d+(?:,\d+)*)?)$/.exec(text);
  if (!match) throw new XcError('XC-1004', { subject: text, why: 'a snapshot is xmin:xmax:xip,…' });
  return {
    xmin: BigInt(match[1]!),
    xmax: BigInt(match[2]!),
    running: new Set((match[3] ?? '').split(',').filter(Boolean).map(BigInt)),
  };
};

/**
 * Whether a committed transaction is part of what the snapshot shows.
 * @param xid the 32 bits that the stream gives; the epoch is that of the snapshot, as both are at most 2^31 apart
 */
export const isVisible = (snapshot: Snapshot, xid: number): boolean => {
  const full = nearest(snapshot.xmax, BigInt(xid));
  return full < snapshot.xmin || (full < snapshot.xmax && !snapshot.running.has(full));
};

const nearest = (reference: bigint, low: bigint): bigint => {
  const span = 1n << 32n;
  const candidate = (reference & ~(span - 1n)) | low;
  if (candidate > reference + span / 2n) return candidate - span;
  if (candidate + span / 2n < reference) return candidate + span;
  return candidate;
};
