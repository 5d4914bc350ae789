/**
 * What a comparison asks of each of its two sides. A side answers from the state that it has when it is asked; what
 * makes two answers comparable is the marker.
 */

import type { Lsn } from '../../change/lsn.ts';
import type { Digest, KeyDigest } from './digest.ts';

/** A part of a table: rows whose key is greater than `after` and at most `upTo`, cut into buckets by a hash of the key. */
export interface Chunk {
  /** Text of the range columns; null is open. */
  readonly after: readonly string[] | null;
  readonly upTo: readonly string[] | null;
  /** A power of two, at most 65,536. */
  readonly buckets: number;
}

/** Buckets of one chunk that are still in question. */
export interface Suspect {
  readonly chunk: Chunk;
  readonly bucket: number;
  /** Rows of the bucket, on the side that has more. */
  readonly rows: number;
}

/** A key that is in question, and where it is. */
export interface Candidate {
  readonly id: string;
  readonly key: readonly (string | null)[];
  readonly tenant: string | null;
  readonly chunk: Chunk;
}

export interface Side {
  /** Digest of the whole chunk, where that is cheaper than those of its buckets. */
  total?(chunk: Chunk, signal: AbortSignal): Promise<Digest>;
  /** Digest of each bucket that has rows; of all buckets where `only` is null. */
  digests(
    chunk: Chunk,
    only: readonly number[] | null,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<number, Digest>>;
  /** By keyId: every key of these buckets. */
  keys(
    chunk: Chunk,
    buckets: readonly number[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, KeyDigest>>;
  /** By keyId: those of the candidates that are there now. */
  rows(candidates: readonly Candidate[], signal: AbortSignal): Promise<ReadonlyMap<string, KeyDigest>>;
}

/**
 * A position that both sides can be compared at (CORRECTNESS 35). What the source had when the marker was emitted, the
 * target has once it has passed.
 */
export interface Marker {
  /** Writes a logical message into the source's log and returns its position. */
  emit(signal: AbortSignal): Promise<Lsn>;
  /** Resolves when the target's checkpoint is at or past the position. */
  passed(position: Lsn, signal: AbortSignal): Promise<void>;
}
