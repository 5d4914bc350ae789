/** Where the parts of the log lie: entries/, tile/ and checkpoint, as C2SP tlog-tiles names them under a prefix. */

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import { bundlePath, tilePath, TILE_WIDTH, type Tile } from '../../core/audit/tiles.ts';
import { EntryFiles } from './entry-files.ts';

export class LogDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  entries(): EntryFiles {
    return new EntryFiles(join(this.path, 'entries'));
  }

  get lockPath(): string {
    return join(this.path, 'lock');
  }

  /** The newest checkpoint as a signed note, or null before the first. */
  async readCheckpoint(): Promise<string | null> {
    return (await this.#read('checkpoint'))?.toString() ?? null;
  }

  async writeCheckpoint(note: string): Promise<void> {
    await this.#write('checkpoint', Buffer.from(note), true);
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

  async writeTile(tile: Tile, bytes: Uint8Array): Promise<void> {
    await this.#write(tilePath(tile), bytes, false);
  }

  async writeBundle(index: number, width: number, bytes: Uint8Array): Promise<void> {
    await this.#write(bundlePath(index, width), bytes, false);
  }

  /** Partial tiles and bundles whose full ones are there say nothing more. */
  async removePartials(index: number, level: number | 'entries'): Promise<void> {
    const path =
      level === 'entries' ? bundlePath(index, TILE_WIDTH) : tilePath({ level, index, width: TILE_WIDTH });
    await rm(join(this.path, `${path}.p`), { recursive: true, force: true });
  }

  async #read(name: string): Promise<Buffer | null> {
    try {
      return await readFile(join(this.path, name));
    } catch (error) {
      if (isErrno(error) && error.code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Tiles can be made again from the entries: only the checkpoint must never be half-written or lost. */
  async #write(name: string, bytes: Uint8Array, durable: boolean): Promise<void> {
    const path = join(this.path, name);
    const temporary = `${path}.${process.pid}.tmp`;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    {
      await using file = await open(temporary, 'w', 0o600);
      await file.writeFile(bytes);
      if (durable) await file.sync();
    }
    await rename(temporary, path);
    if (!durable) return;
    await using directory = await open(dirname(path), 'r');
    await directory.sync();
  }
}
