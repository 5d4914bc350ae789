/** What a mirror works with: two stores, a pace, and bounds. */

import type { ObjectStore } from '../objects/object-store.ts';
import type { Patience } from '../objects/patience.ts';
import type { Clock } from '../time/clock.ts';
import type { ByteRoom } from './byte-room.ts';

export interface MirrorEnds {
  /** Names the pair of places and what is mirrored of them; stands in marks, manifests and uploads. */
  readonly mirror: string;
  readonly source: ObjectStore;
  readonly target: ObjectStore;
  /** Before every key of the mirror. */
  readonly sourcePrefix: string;
  readonly targetPrefix: string;
}

export interface MirrorPorts extends MirrorEnds {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Counts bytes that leave the source. Null where they may go on at once; rejects when the signal aborts. */
  readonly pace: (bytes: number) => Promise<void> | null;
  /** Memory for parts that are on their way, of all objects together. */
  readonly room: ByteRoom;
  /** Existing objects of the target are never replaced. */
  readonly immutable: boolean;
  readonly parts: PartSizes;
  /** Objects that are worked on at once. */
  readonly transfers: number;
}

export interface PartSizes {
  /** From here on an object goes in parts, which a crash does not lose. */
  readonly fromBytes: number;
  /** Parts are of this size, or larger where the store wants that, or the object would have too many. */
  readonly leastBytes: number;
}

const MIB = 1024 * 1024;
export const PART_SIZES: PartSizes = { fromBytes: 16 * MIB, leastBytes: 8 * MIB };

/** A cut connection, a busy store: five failures in a row are no longer a hiccup. */
export const patienceOf = ({ clock, signal }: Pick<MirrorPorts, 'clock' | 'signal'>): Patience => ({
  clock,
  signal,
  attempts: 5,
  firstWaitMs: 200,
});
