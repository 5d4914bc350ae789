/**
 * The tree as tiles of 256 hashes (C2SP tlog-tiles): where a tile is, how wide it is in a tree of a given size, and how
 * a node of the tree is read from the tiles.
 */

import { Buffer } from 'node:buffer';
import { HASH_BYTES, nodeHash, type NodeReader } from './merkle.ts';

/** Hashes of a full tile; also entries of a full bundle. */
export const TILE_WIDTH = 256;
/** Levels of the tree that a tile spans. */
const TILE_HEIGHT = 8;

export interface Tile {
  /** 0 holds leaves; each hash of a higher tile is the root of a full one below. */
  readonly level: number;
  readonly index: number;
  /** 1 to 256; below 256 the tile is partial. */
  readonly width: number;
}

/** "tile/0/x001/234" or "tile/0/x001/234.p/17", under the log's prefix. */
export const tilePath = ({ level, index, width }: Tile): string =>
  `tile/${level}/${numberPath(index, width)}`;

/** "tile/entries/x001/234": the entries of the level-0 tile of that number, each behind its length as uint16. */
export const bundlePath = (index: number, width: number): string =>
  `tile/entries/${numberPath(index, width)}`;

const numberPath = (index: number, width: number): string => {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const parts = padded.match(/.{3}/g) ?? [];
  const path = parts.map((part, at) => (at < parts.length - 1 ? `x${part}` : part)).join('/');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
};

/** Hashes that a level of tiles has in a tree of this size. */
const hashesAt = (level: number, size: number): number => Math.floor(size / TILE_WIDTH ** level);

/** The tile of that number in a tree of this size, or null where the tree has none. */
export const tileIn = (size: number, level: number, index: number): Tile | null => {
  const width = Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH);
  return width > 0 ? { level, index, width } : null;
};

/** All tiles of a tree of `size` leaves that a tree of the first `before` did not have, or had narrower. */
export const tilesSince = (before: number, size: number): Tile[] => {
  const tiles: Tile[] = [];
  for (let level = 0; hashesAt(level, size) > 0; level++) {
    const first = Math.floor(hashesAt(level, before) / TILE_WIDTH);
    for (let index = first; ; index++) {
      const tile = tileIn(size, level, index);
      if (!tile) break;
      if (tileIn(before, level, index)?.width !== tile.width) tiles.push(tile);
    }
  }
  return tiles;
};

/**
 * Nodes of a tree of `size` leaves, read from its tiles. Tiles are kept while the reader lives: a proof asks for the same
 * few again and again.
 * @throws RangeError for a node that the tree does not have; what `read` throws; Error for a tile of a wrong length
 */
export const nodesFromTiles = (size: number, read: (tile: Tile) => Promise<Uint8Array>): NodeReader => {
  const kept = new Map<string, Promise<Uint8Array>>();
  return async (level, index) => {
    const above = Math.floor(level / TILE_HEIGHT);
    const within = level % TILE_HEIGHT;
    const [first, last] = [index * 2 ** within, (index + 1) * 2 ** within];
    const tile = tileIn(size, above, Math.floor(first / TILE_WIDTH));
    const from = first % TILE_WIDTH;
    if (!tile || from + (last - first) > tile.width)
      throw new RangeError(`no node ${level}/${index} in a tree of ${size}`);
    const key = tilePath(tile);
    let hashes = kept.get(key);
    if (!hashes) kept.set(key, (hashes = read(tile)));
    const bytes = await hashes;
    if (bytes.length !== tile.width * HASH_BYTES) throw new Error(`${key} has ${bytes.length} bytes`);
    return subtree(bytes, from, last - first);
  };
};

/** Root of the perfect subtree over `count` of a tile's hashes, from number `first`. */
const subtree = (bytes: Uint8Array, first: number, count: number): Uint8Array => {
  if (count === 1) return bytes.subarray(first * HASH_BYTES, (first + 1) * HASH_BYTES);
  return nodeHash(subtree(bytes, first, count / 2), subtree(bytes, first + count / 2, count / 2));
};

/** A level-0 tile's entries, as one file: each behind its length, uint16 and big-endian. */
export const bundleOf = (entries: readonly Uint8Array[]): Buffer =>
  Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );

/** Longest entry, by the two bytes of its length in a bundle. */
export const MAX_ENTRY_BYTES = 0xffff;
