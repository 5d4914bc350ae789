/**
 * What is made from the entries for others to read: tiles, bundles, and the signed checkpoint. A checkpoint is written
 * only when all that it speaks of is durable, entries included, so that no crash leaves one that its log does not fit;
 * what it replaces is removed only after it.
 */

import { formatCheckpoint, parseCheckpoint, type Checkpoint } from '../../core/audit/checkpoint.ts';
import { GrowingTree } from '../../core/audit/growing-tree.ts';
import type { LogKeys } from '../../core/audit/log.ts';
import { signNote } from '../../core/audit/note.ts';
import { opened } from '../../core/audit/proof.ts';
import { bundleOf, TILE_WIDTH, type Tile } from '../../core/audit/tiles.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { EntryFiles } from './entry-files.ts';
import type { LogDirectory } from './log-directory.ts';

/** Full tiles that wait in memory before their files are begun beside the appends, and before appends wait for them. */
const TILES_AHEAD = 64;
const MOST_TILES_AHEAD = 1024;

export class Publisher {
  readonly #directory: LogDirectory;
  readonly #entries: EntryFiles;
  readonly #origin: string;
  readonly #keys: LogKeys;
  #full: [Tile, Buffer][] = [];
  #writing: Promise<void> | null = null;

  constructor(directory: LogDirectory, entries: EntryFiles, origin: string, keys: LogKeys) {
    this.#directory = directory;
    this.#entries = entries;
    this.#origin = origin;
    this.#keys = keys;
  }

  /** Takes tiles that the tree has filled. */
  readonly filled = (tile: Tile, bytes: Buffer): void => void this.#full.push([tile, bytes]);

  /** Begins to write tiles, when many wait. @returns what is to be waited for, when too many do */
  relieve(): Promise<void> | null {
    if (this.#full.length >= TILES_AHEAD)
      this.#writing ??= this.#writeFull().finally(() => (this.#writing = null));
    return this.#full.length >= MOST_TILES_AHEAD ? this.#writing : null;
  }

  /** When nothing is on its way to its file any more. */
  async settled(): Promise<void> {
    await this.#writing;
    await this.#directory.settled();
  }

  /**
   * The tree of the newest checkpoint, or an empty one: all later entries are still to be read into it.
   * @throws XcError XC-5601, XC-5602
   */
  async tree(): Promise<GrowingTree> {
    this.#full = [];
    const note = await this.#directory.readCheckpoint();
    if (note === null) return new GrowingTree();
    const subject = this.#directory.path;
    const checkpoint = opened(note, this.#keys.verifiers);
    if (typeof checkpoint === 'string')
      throw new XcError('XC-5602', { subject, why: `the checkpoint ${checkpoint}` });
    const tree = await GrowingTree.from(checkpoint.size, async (tile) => {
      const bytes = await this.#directory.readTile(tile);
      if (bytes !== null) return bytes;
      throw new XcError('XC-5601', { subject, why: `tile ${tile.level}/${tile.index} is missing` });
    });
    if (Buffer.compare(tree.head().root, checkpoint.root) !== 0)
      throw new XcError('XC-5601', { subject, why: 'the tiles do not give the root of the checkpoint' });
    return tree;
  }

  /** Writes all tiles and bundles, and the signed checkpoint of this tree. */
  async publish(tree: GrowingTree): Promise<{ checkpoint: Checkpoint; note: string }> {
    const known = await this.#directory.readCheckpoint();
    const before = (known === null ? null : parseCheckpoint(known)?.size) ?? 0;
    const checkpoint = { origin: this.#origin, ...tree.head() };
    if (known !== null && before === tree.size) return { checkpoint, note: known };
    const note = await signNote(formatCheckpoint(checkpoint), [this.#keys.signer]);
    await this.#entries.sync(before, tree.size);
    await this.#writing;
    await this.#writeFull();
    for (const [tile, bytes] of tree.partialTiles()) await this.#directory.writeTile(tile, bytes);
    await this.#writeBundles(before, tree.size);
    await this.#directory.writeCheckpoint(note);
    await this.#directory.removePartials(before, tree.size);
    return { checkpoint, note };
  }

  async #writeFull(): Promise<void> {
    for (let next = this.#full.shift(); next; next = this.#full.shift())
      await this.#directory.writeTile(...next);
  }

  /** Bundles of entries, which other tools read: those that grew since the last checkpoint. */
  async #writeBundles(before: number, size: number): Promise<void> {
    let lines: Buffer[] = [];
    const start = before - (before % TILE_WIDTH);
    for await (const { number, bytes } of this.#entries.read(start)) {
      if (number >= size) break;
      lines.push(bytes);
      if (lines.length < TILE_WIDTH && number < size - 1) continue;
      await this.#directory.writeBundle(Math.floor(number / TILE_WIDTH), lines.length, bundleOf(lines));
      lines = [];
    }
  }
}
