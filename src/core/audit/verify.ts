/**
 * Verifies a log from its entries alone: every leaf, tile and bundle is made again and compared, and so are the roots of
 * the checkpoint and of all anchors. What does not fit is located as narrowly as the tree allows.
 */

import { Buffer } from 'node:buffer';
import type { Checkpoint } from './checkpoint.ts';
import { isCanonicalEntry } from './entry.ts';
import { GrowingTree } from './growing-tree.ts';
import { HASH_BYTES, leafHash } from './merkle.ts';
import type { NoteVerifier } from './note.ts';
import { opened } from './proof.ts';
import { bundleOf, tilePath, TILE_WIDTH, type Tile } from './tiles.ts';

export interface LogParts {
  /** All entries, in order, from number 0. */
  entries(): AsyncIterable<{ readonly number: number; readonly bytes: Buffer }>;
  readTile(tile: Tile): Promise<Buffer | null>;
  readBundle(index: number, width: number): Promise<Buffer | null>;
  readCheckpoint(): Promise<string | null>;
}

/** A checkpoint of this log that lies elsewhere. */
export interface Anchor {
  /** Where it was found: "region eu-central-1". */
  readonly place: string;
  readonly note: string;
}

/** What does not fit, in the shape that all findings have. */
export interface LogFinding {
  readonly check: 'audit-log';
  readonly subject: string;
  readonly verdict: 'fail';
  readonly severity: 'block';
  readonly seen: string;
  readonly code: 'XC-5601' | 'XC-5602' | 'XC-5603';
}

export interface LogVerdict {
  readonly verdict: 'pass' | 'fail';
  readonly entries: number;
  /** Entries that a checkpoint of the log's own covers. */
  readonly signed: number;
  /** Entries that an anchor elsewhere covers: nobody who has the log alone can change those unseen. */
  readonly anchored: number;
  readonly findings: readonly LogFinding[];
}

/** More than this of one sort say nothing new. */
const MAX_FINDINGS = 50;

export const verifyLog = async (
  log: LogParts,
  verifiers: readonly NoteVerifier[],
  anchors: readonly Anchor[],
): Promise<LogVerdict> => await new LogVerification(log, verifiers).run(anchors);

/** The log's own checkpoint, as findings call it. */
const OWN = 'checkpoint';

interface Stand {
  readonly place: string;
  readonly checkpoint: Checkpoint;
}

class LogVerification {
  readonly #log: LogParts;
  readonly #verifiers: readonly NoteVerifier[];
  readonly #tree = new GrowingTree();
  readonly #findings: LogFinding[] = [];
  /**
   * Entries up to here are as an anchor that fits says. The log's own checkpoint says nothing of that: who changed the
   * entries may have signed them again.
   */
  #good = 0;
  readonly #fitting = new Set<Stand>();

  constructor(log: LogParts, verifiers: readonly NoteVerifier[]) {
    this.#log = log;
    this.#verifiers = verifiers;
  }

  async run(anchors: readonly Anchor[]): Promise<LogVerdict> {
    const note = await this.#log.readCheckpoint();
    const own = note === null ? null : this.#open({ place: OWN, note });
    const stands = anchors.map((anchor) => this.#open(anchor)).filter((one) => one !== null);
    const all = [...(own ? [own] : []), ...stands].toSorted((a, b) => a.checkpoint.size - b.checkpoint.size);
    await this.#walk(all, own?.checkpoint.size ?? 0);
    for (const stand of all.filter(({ checkpoint }) => checkpoint.size > this.#tree.size))
      this.#cutOff(stand);
    this.#rolledBack(own, stands);
    const fitting = stands.filter((stand) => this.#fitting.has(stand));
    return {
      verdict: this.#findings.length === 0 ? 'pass' : 'fail',
      entries: this.#tree.size,
      signed: own?.checkpoint.size ?? 0,
      anchored: Math.max(0, ...fitting.map(({ checkpoint }) => checkpoint.size)),
      findings: this.#findings,
    };
  }

  #open({ place, note }: Anchor): Stand | null {
    const checkpoint = opened(note, this.#verifiers);
    if (typeof checkpoint !== 'string') return { place, checkpoint };
    this.#found('XC-5602', place, `it ${checkpoint}`);
    return null;
  }

  async #walk(stands: readonly Stand[], signed: number): Promise<void> {
    const queue = [...stands];
    let lines: Buffer[] = [];
    const full: [Tile, Buffer][] = [];
    this.#compareRoots(queue);
    for await (const { number, bytes } of this.#log.entries()) {
      if (!isCanonicalEntry(bytes))
        this.#found('XC-5601', `entry ${number}`, 'it is no entry of an audit log in its canonical form');
      lines.push(bytes);
      this.#tree.append(leafHash(bytes), (tile, hashes) => full.push([tile, hashes]));
      // What no checkpoint covers yet need not have tiles and bundles.
      const covered = this.#tree.size <= signed;
      for (const [tile, hashes] of full.splice(0)) await this.#compareTile(tile, hashes, covered);
      if (covered && (lines.length === TILE_WIDTH || this.#tree.size === signed))
        await this.#compareBundle(number, lines);
      if (lines.length === TILE_WIDTH) lines = [];
      if (this.#tree.size === signed)
        for (const [tile, hashes] of this.#tree.partialTiles()) await this.#compareTile(tile, hashes, true);
      this.#compareRoots(queue);
    }
  }

  async #compareTile(tile: Tile, expected: Buffer, required: boolean): Promise<void> {
    const stored = await this.#log.readTile(tile);
    const name = tilePath(tile);
    if (stored === null) {
      if (required) this.#found('XC-5601', name, 'the tile is missing');
      return;
    }
    if (stored.equals(expected)) return;
    if (stored.length !== expected.length) {
      this.#found('XC-5601', name, `the tile has ${stored.length} bytes, and should have ${expected.length}`);
      return;
    }
    for (let at = 0; at < tile.width; at++) {
      const [own, said] = [hashAt(expected, at), hashAt(stored, at)];
      if (own.equals(said)) continue;
      if (tile.level > 0) {
        this.#found('XC-5601', name, `hash ${at} is not that of the tile below: one of the two was replaced`);
        continue;
      }
      const place = placeOf(stored, own);
      const moved =
        place < 0 ? '' : `; the entry that is here now was number ${tile.index * TILE_WIDTH + place}`;
      this.#found(
        'XC-5601',
        `entry ${tile.index * TILE_WIDTH + at}`,
        `it is not the entry that ${name} speaks of${moved}`,
      );
    }
  }

  async #compareBundle(last: number, lines: readonly Buffer[]): Promise<void> {
    const index = Math.floor(last / TILE_WIDTH);
    const stored = await this.#log.readBundle(index, lines.length);
    if (stored === null && lines.length < TILE_WIDTH) return;
    if (stored?.equals(bundleOf(lines))) return;
    this.#found(
      'XC-5601',
      `tile/entries/${index}`,
      stored === null ? 'the bundle is missing' : 'the bundle does not hold the entries',
    );
  }

  #compareRoots(queue: Stand[]): void {
    while (queue[0]?.checkpoint.size === this.#tree.size) {
      const stand = queue.shift()!;
      const { place, checkpoint } = stand;
      if (Buffer.compare(this.#tree.head().root, checkpoint.root) === 0) {
        if (place !== OWN) this.#good = checkpoint.size;
        this.#fitting.add(stand);
      } else
        this.#found(
          'XC-5601',
          place,
          `it does not fit: something among the entries ${this.#good} to ${checkpoint.size - 1} was changed`,
        );
    }
  }

  #cutOff({ place, checkpoint }: Stand): void {
    const missing = checkpoint.size - this.#tree.size;
    this.#found('XC-5603', place, `it speaks of ${checkpoint.size} entries; the last ${missing} are missing`);
  }

  #rolledBack(own: Stand | null, anchors: readonly Stand[]): void {
    const newest = anchors.toSorted((a, b) => b.checkpoint.size - a.checkpoint.size)[0];
    if (!newest || newest.checkpoint.size <= (own?.checkpoint.size ?? 0)) return;
    this.#found(
      'XC-5603',
      OWN,
      `it speaks of ${own?.checkpoint.size ?? 0} entries, and the anchor at ${newest.place} of ${newest.checkpoint.size}: it was rolled back`,
    );
  }

  #found(code: LogFinding['code'], subject: string, seen: string): void {
    if (this.#findings.length >= MAX_FINDINGS) return;
    this.#findings.push({ check: 'audit-log', subject, verdict: 'fail', severity: 'block', seen, code });
  }
}

const hashAt = (tile: Buffer, at: number): Buffer => tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);

const placeOf = (tile: Buffer, hash: Buffer): number => {
  for (let at = 0; at * HASH_BYTES < tile.length; at++) if (hashAt(tile, at).equals(hash)) return at;
  return -1;
};
