/** Where the parts of the log lie: entries/, tile/ and checkpoint, as C2SP tlog-tiles names them under a prefix. */

import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import { bundlePath, tilePath, tilesSince, TILE_WIDTH, type Tile } from '../../core/audit/tiles.ts';
import { syncDirectory } from './durable-write.ts';
import { EntryFiles } from './entry-files.ts';

/** Tiles that are written at once: they share Node's four threads with the syncs of entries, which come first. */
const WRITES_AT_ONCE = 2;
const ASKED = 'lock.asked';

export class LogDirectory {
  readonly path: string;
  /** Writes on their way. */
  readonly #writing = new Set<Promise<void>>();
  /** What became of one of them. */
  #failed: Error | null = null;
  #count = 0;
  /** Directories with names that are not durable yet. */
  readonly #named = new Set<string>();

  constructor(path: string) {
    this.path = path;
  }

  entries(): EntryFiles {
    return new EntryFiles(join(this.path, 'entries'));
  }

  get lockPath(): string {
    return join(this.path, 'lock');
  }

  /** Leaves word that the lock is waited for. */
  async ask(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    await writeFile(join(this.path, ASKED), '', { mode: 0o600 });
  }

  /** Whether somebody waits for the lock; asked once, the word is gone. */
  async takeAsked(): Promise<boolean> {
    try {
      await rm(join(this.path, ASKED));
      return true;
    } catch {
      return false;
    }
  }

  /** The newest checkpoint as a signed note, or null before the first. */
  async readCheckpoint(): Promise<string | null> {
    return (await this.#read('checkpoint'))?.toString() ?? null;
  }

  /** Behind everything that was written before it, which is durable first. */
  async writeCheckpoint(note: string): Promise<void> {
    await this.settled();
    const failed = this.#failed;
    this.#failed = null;
    if (failed !== null) throw failed;
    for (const path of this.#named) await syncDirectory(path);
    this.#named.clear();
    await this.#write('checkpoint', Buffer.from(note));
    await syncDirectory(this.path);
  }

  /** Bytes of a tile; of a partial one that is gone, the beginning of the full one. Null where neither is there. */
  async readTile(tile: Tile): Promise<Buffer | null> {
    const exact = await this.#read(tilePath(tile));
    if (exact !== null || tile.width === TILE_WIDTH) return exact;
    const full = await this.#read(tilePath({ ...tile, width: TILE_WIDTH }));
    return full?.subarray(0, (full.length / TILE_WIDTH) * tile.width) ?? null;
  }

  async readBundle(index: number, width: number): Promise<Buffer | null> {
    return await this.#read(bundlePath(index, width));
  }

  /** On its way when it resolves; a few at a time are. Durable before the next checkpoint is written, which throws what went wrong. */
  async writeTile(tile: Tile, bytes: Uint8Array): Promise<void> {
    await this.#begin(tilePath(tile), bytes);
  }

  /** As writeTile(). */
  async writeBundle(index: number, width: number, bytes: Uint8Array): Promise<void> {
    await this.#begin(bundlePath(index, width), bytes);
  }

  /** When nothing is on its way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#writing);
  }

  /** Partial tiles and bundles of a tree of `before` leaves whose full ones are there say nothing more. */
  async removePartials(before: number, size: number): Promise<void> {
    for (const { level, index, width } of tilesSince(before, size)) {
      if (width < TILE_WIDTH) continue;
      await this.#remove(`${tilePath({ level, index, width })}.p`);
      if (level === 0) await this.#remove(`${bundlePath(index, width)}.p`);
    }
  }

  async #read(name: string): Promise<Buffer | null> {
    try {
      return await readFile(join(this.path, name));
    } catch (error) {
      if (isErrno(error) && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  async #begin(name: string, bytes: Uint8Array): Promise<void> {
    while (this.#writing.size >= WRITES_AT_ONCE) await Promise.race(this.#writing);
    const written = this.#write(name, bytes)
      .catch(
        (error: unknown) => void (this.#failed = error instanceof Error ? error : new Error(String(error))),
      )
      .finally(() => this.#writing.delete(written));
    this.#writing.add(written);
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.path, name);
    const temporary = `${path}.${process.pid}-${this.#count++}.tmp`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    {
      await using file = await open(temporary, 'w', 0o600);
      await file.writeFile(bytes);
      await file.datasync();
    }
    await rename(temporary, path);
    for (let at = dirname(path); at.length >= this.path.length; at = dirname(at)) this.#named.add(at);
  }

  async #remove(name: string): Promise<void> {
    await rm(join(this.path, name), { recursive: true, force: true });
  }
}
