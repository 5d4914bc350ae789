/**
 * The right edge of a growing tree: what is needed to append a leaf, to say the root, and to write the tiles. Each leaf
 * costs one node hash on average; nothing to the left is ever read again.
 */

import { Buffer } from 'node:buffer';
import { emptyRoot, HASH_BYTES, nodeHash, type NodeReader, type TreeHead } from './merkle.ts';
import { nodesFromTiles, TILE_WIDTH, tileIn, type Tile } from './tiles.ts';

const TILE_HEIGHT = 8;

export class GrowingTree {
  #size = 0;
  /** By level: the perfect subtree that ends at the right edge, where the size has that bit; stale elsewhere. */
  readonly #edge: Buffer[] = [];
  /** By level of tiles: hashes of the tile that is not full yet. */
  readonly #partial: { bytes: Buffer; width: number }[] = [];

  get size(): number {
    return this.#size;
  }

  /** @param full takes each tile that this leaf fills, lowest level first; the bytes are the tile's own. */
  append(leaf: Buffer, full: (tile: Tile, bytes: Buffer) => void): void {
    let current = leaf;
    for (let level = 0; ; level++) {
      if (level % TILE_HEIGHT === 0) this.#put(level / TILE_HEIGHT, current, full);
      if (Math.floor(this.#size / 2 ** level) % 2 === 0) {
        this.#edge[level] = current;
        break;
      }
      current = nodeHash(this.#edge[level]!, current);
    }
    this.#size++;
  }

  head(): TreeHead {
    let root: Buffer | null = null;
    for (const [level, hash] of this.#edge.entries()) {
      if (Math.floor(this.#size / 2 ** level) % 2 === 0) continue;
      root = root === null ? hash : nodeHash(hash, root);
    }
    return { size: this.#size, root: root ?? emptyRoot() };
  }

  /** The partial tiles as they stand: with the full ones that append() gave, they are all tiles of the tree. */
  *partialTiles(): Generator<[Tile, Buffer]> {
    for (const [level, { bytes, width }] of this.#partial.entries()) {
      if (width === 0) continue;
      const index = Math.floor(this.#size / TILE_WIDTH ** (level + 1));
      yield [{ level, index, width }, Buffer.from(bytes.subarray(0, width * HASH_BYTES))];
    }
  }

  #put(level: number, hash: Buffer, full: (tile: Tile, bytes: Buffer) => void): void {
    const tile = (this.#partial[level] ??= { bytes: Buffer.alloc(TILE_WIDTH * HASH_BYTES), width: 0 });
    tile.bytes.set(hash, tile.width * HASH_BYTES);
    tile.width++;
    if (tile.width < TILE_WIDTH) return;
    // The leaf that fills it is not counted yet: its number is still this.#size.
    const index = Math.floor(this.#size / TILE_WIDTH ** (level + 1));
    full({ level, index, width: TILE_WIDTH }, Buffer.from(tile.bytes));
    tile.width = 0;
  }

  /** The edge of a tree of `size` leaves, from its tiles. @throws what `read` throws */
  static async from(size: number, read: (tile: Tile) => Promise<Uint8Array>): Promise<GrowingTree> {
    const tree = new GrowingTree();
    tree.#size = size;
    const node: NodeReader = nodesFromTiles(size, read);
    for (let level = 0; 2 ** level <= size; level++) {
      const bit = Math.floor(size / 2 ** level);
      tree.#edge[level] = bit % 2 === 1 ? Buffer.from(await node(level, bit - 1)) : Buffer.alloc(HASH_BYTES);
    }
    for (let level = 0; TILE_WIDTH ** level <= size; level++) {
      const tile = tileIn(size, level, Math.floor(size / TILE_WIDTH ** (level + 1)));
      const bytes = Buffer.alloc(TILE_WIDTH * HASH_BYTES);
      if (tile) bytes.set(await read(tile));
      tree.#partial[level] = { bytes, width: tile?.width ?? 0 };
    }
    return tree;
  }
}
