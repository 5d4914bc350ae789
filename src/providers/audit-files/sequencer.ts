/**
 * Appends to the log, one process at a time: takes the lock, reads what others appended since, writes all waiting entries
 * as one write, and makes them durable with one sync; syncs again as soon as the last one returns. The tree grows while
 * the disk works.
 */

import { setImmediate as immediately, setTimeout as sleep } from 'node:timers/promises';
import { bundleOf, TILE_WIDTH, type Tile } from '../../core/audit/tiles.ts';
import { parseCheckpoint, formatCheckpoint, type Checkpoint } from '../../core/audit/checkpoint.ts';
import { GrowingTree } from '../../core/audit/growing-tree.ts';
import type { LogKeys, LogLock } from '../../core/audit/log.ts';
import { leafHash } from '../../core/audit/merkle.ts';
import { signNote } from '../../core/audit/note.ts';
import { opened } from '../../core/audit/proof.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { EntryFiles } from './entry-files.ts';
import type { LogDirectory } from './log-directory.ts';

/** Entries of one sync: bounds memory and the wait of whoever comes next. */
const GROUP_ENTRIES = 4096;
/** How long the lock is kept when nothing waits, so that the next entry need not take it again. */
const LINGER_MS = 30;
/** A process that appends without pause lets others in this often. */
const TURN_MS = 250;
/** How often, and how long in all, the lock is asked for. */
const LOCK_POLL_MS = 10;
const LOCK_WAIT_MS = 30_000;
/** Full tiles that wait in memory for their files. */
const TILES_AHEAD = 64;

interface Waiting {
  readonly lines: readonly Buffer[];
  readonly resolve: (numbers: number[]) => void;
  readonly reject: (error: unknown) => void;
}

export class Sequencer implements AsyncDisposable {
  readonly #directory: LogDirectory;
  readonly #entries: EntryFiles;
  readonly #lock: LogLock;
  readonly #keys: LogKeys;
  readonly #origin: string;
  #waiting: Waiting[] = [];
  #working: Promise<void> | null = null;
  #arrived: (() => void) | null = null;
  /** Null where what is known may be behind the files. */
  #tree: GrowingTree | null = null;
  #full: [Tile, Buffer][] = [];
  #held: AsyncDisposable | null = null;

  constructor(directory: LogDirectory, origin: string, keys: LogKeys, lock: LogLock) {
    this.#directory = directory;
    this.#entries = directory.entries();
    this.#origin = origin;
    this.#keys = keys;
    this.#lock = lock;
  }

  /** Resolves once the lines are durable, with their numbers. */
  async append(lines: readonly Buffer[]): Promise<number[]> {
    const done = new Promise<number[]>((resolve, reject) => this.#waiting.push({ lines, resolve, reject }));
    this.#arrived?.();
    this.#working ??= this.#work().finally(() => (this.#working = null));
    return await done;
  }

  /** Writes all tiles and the signed checkpoint of the log as it is now. */
  async publish(): Promise<{ checkpoint: Checkpoint; note: string }> {
    while (this.#working) await this.#working;
    await this.#hold();
    try {
      return await this.#publish();
    } finally {
      await this.#letGo();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#working) await this.#working;
    await this.#letGo();
  }

  async #work(): Promise<void> {
    try {
      await this.#hold();
      const begun = performance.now();
      while (this.#waiting.length > 0 && performance.now() - begun < TURN_MS) {
        await this.#group();
        await this.#linger();
      }
    } catch (error) {
      this.#tree = null;
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    } finally {
      await this.#letGo();
    }
    if (this.#waiting.length === 0) return;
    await sleep(2 * LOCK_POLL_MS);
    await this.#work();
  }

  /** Whoever was told that an entry is durable may append the next at once, or a little later. */
  async #linger(): Promise<void> {
    await immediately();
    if (this.#waiting.length > 0) return;
    const over = new AbortController();
    this.#arrived = () => over.abort();
    await sleep(LINGER_MS, undefined, { signal: over.signal }).catch(() => undefined);
    this.#arrived = null;
  }

  async #group(): Promise<void> {
    const group: Waiting[] = [];
    for (let entries = 0; entries < GROUP_ENTRIES;) {
      const next = this.#waiting.shift();
      if (!next) break;
      group.push(next);
      entries += next.lines.length;
    }
    const tree = this.#tree!;
    const first = tree.size;
    const lines = group.flatMap((one) => one.lines);
    try {
      const durable = this.#entries.append(first, lines);
      this.#grow(tree, lines);
      await durable;
    } catch (error) {
      // How much of it is in the file is not known: what is whole there is read again.
      this.#tree = null;
      for (const { reject } of group) reject(error);
      throw error;
    }
    let number = first;
    for (const { lines: own, resolve } of group) resolve(own.map(() => number++));
    if (this.#full.length >= TILES_AHEAD) await this.#writeFull();
  }

  #grow(tree: GrowingTree, lines: readonly Buffer[]): void {
    for (const line of lines) tree.append(leafHash(line), (tile, bytes) => this.#full.push([tile, bytes]));
  }

  /** Takes the lock and reads what others appended while this process did not hold it. */
  async #hold(): Promise<void> {
    if (this.#held) return;
    this.#held = await this.#take();
    try {
      this.#tree ??= await this.#fromCheckpoint();
      for await (const { bytes } of this.#entries.read(this.#tree.size)) this.#grow(this.#tree, [bytes]);
    } catch (error) {
      this.#tree = null;
      await this.#letGo();
      throw error;
    }
  }

  async #letGo(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    // The next holder may go on in the same file.
    this.#entries.close();
    await held?.[Symbol.asyncDispose]();
  }

  async #take(): Promise<AsyncDisposable> {
    const begun = performance.now();
    for (;;) {
      try {
        return await this.#lock.take();
      } catch (error) {
        const held = error instanceof XcError && error.code === 'XC-7002';
        if (!held || performance.now() - begun > LOCK_WAIT_MS) throw error;
        await sleep(LOCK_POLL_MS);
      }
    }
  }

  /** The tree of the newest checkpoint, or an empty one, which all entries are then read into. */
  async #fromCheckpoint(): Promise<GrowingTree> {
    this.#full = [];
    const note = await this.#directory.readCheckpoint();
    if (note === null) return new GrowingTree();
    const checkpoint = opened(note, this.#keys.verifiers);
    if (typeof checkpoint === 'string')
      throw new XcError('XC-5602', { subject: this.#directory.path, why: `the checkpoint ${checkpoint}` });
    const tree = await GrowingTree.from(checkpoint.size, async (tile) => {
      const bytes = await this.#directory.readTile(tile);
      if (bytes === null)
        throw new XcError('XC-5601', {
          subject: this.#directory.path,
          why: `tile ${tile.level}/${tile.index} is missing`,
        });
      return bytes;
    });
    if (Buffer.compare(tree.head().root, checkpoint.root) !== 0)
      throw new XcError('XC-5601', {
        subject: this.#directory.path,
        why: 'the tiles do not give the root of the checkpoint',
      });
    return tree;
  }

  async #publish(): Promise<{ checkpoint: Checkpoint; note: string }> {
    const tree = this.#tree!;
    const known = await this.#directory.readCheckpoint();
    const last = known === null ? null : parseCheckpoint(known);
    const checkpoint = { origin: this.#origin, ...tree.head() };
    if (known !== null && last?.size === tree.size) return { checkpoint, note: known };
    await this.#writeFull();
    for (const [tile, bytes] of tree.partialTiles()) await this.#directory.writeTile(tile, bytes);
    const note = await signNote(formatCheckpoint(checkpoint), [this.#keys.signer]);
    await this.#writeBundles(last?.size ?? 0, tree.size);
    await this.#directory.writeCheckpoint(note);
    return { checkpoint, note };
  }

  async #writeFull(): Promise<void> {
    for (const [tile, bytes] of this.#full) {
      await this.#directory.writeTile(tile, bytes);
      await this.#directory.removePartials(tile.index, tile.level);
    }
    this.#full = [];
  }

  /** Bundles of entries, which other tools read: those that grew since the last checkpoint. */
  async #writeBundles(before: number, size: number): Promise<void> {
    let lines: Buffer[] = [];
    const start = before - (before % TILE_WIDTH);
    for await (const { number, bytes } of this.#entries.read(start)) {
      if (number >= size) break;
      lines.push(bytes);
      if (lines.length < TILE_WIDTH && number < size - 1) continue;
      const index = Math.floor(number / TILE_WIDTH);
      await this.#directory.writeBundle(index, lines.length, bundleOf(lines));
      if (lines.length === TILE_WIDTH) await this.#directory.removePartials(index, 'entries');
      lines = [];
    }
  }
}
