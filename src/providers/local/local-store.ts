/** Objects as files below a directory. What other programs put there are objects too. */

import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, rm, rmdir, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { compareKeys, nameFor } from '../../core/objects/keys.ts';
import { measured } from '../../core/objects/measured-body.ts';
import type {
  ObjectInfo,
  ObjectRef,
  ObjectStore,
  PartialUploads,
  Precondition,
  ReadOptions,
  WriteOptions,
} from '../../core/objects/object-store.ts';
import { objectGone, preconditionFailed } from '../../core/objects/store-errors.ts';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { explainFileError } from './file-errors.ts';
import { whileLocked } from './key-lock.ts';
import { OWN_DIRECTORY, partOf, pathOf } from './key-path.ts';
import { localUploads } from './local-uploads.ts';
import { dropRecord, infoOf, keepRecord, versionOf } from './records.ts';

const READ_BYTES = 256 * 1024;

export class LocalStore implements ObjectStore {
  readonly kind = 'local';
  readonly place: string;
  readonly parts: PartialUploads;
  readonly #root: string;
  readonly #now: () => number;

  /** The directory is made at the first write. */
  constructor(root: string, now: () => number) {
    this.#root = root;
    this.#now = now;
    this.place = `local:${root}`;
    this.parts = localUploads(this, join(root, OWN_DIRECTORY, 'uploads'));
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    yield* this.#walk('', prefix);
  }

  async head(key: string): Promise<ObjectInfo | null> {
    const path = this.#path(key);
    return await this.#told(key, async () => {
      const seen = await stat(path, { bigint: true }).catch((error: unknown) => {
        if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return null;
        throw error;
      });
      return seen?.isFile() === true ? await infoOf(this.#root, key, seen) : null;
    });
  }

  async *read(key: string, options: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const path = this.#path(key);
    const handle = await this.#told(key, async () => await open(path, 'r'));
    try {
      const seen = await handle.stat({ bigint: true });
      if (!seen.isFile()) throw objectGone(this.place, key);
      if (options.version !== undefined && versionOf(seen) !== options.version)
        throw preconditionFailed(this.place, key, 'another version');
      const end = Math.min(options.range?.end ?? Number(seen.size), Number(seen.size));
      for (let at = options.range?.first ?? 0; at < end;) {
        const piece = new Uint8Array(Math.min(READ_BYTES, end - at));
        const { bytesRead } = await this.#told(
          key,
          async () => await handle.read(piece, 0, piece.length, at),
        );
        // Cut short under our hands: the file is not what it was when it was opened.
        if (bytesRead === 0) throw preconditionFailed(this.place, key, 'it became shorter while it was read');
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
      const after = await handle.stat({ bigint: true });
      if (versionOf(after) !== versionOf(seen))
        throw preconditionFailed(this.place, key, 'it was changed while it was read');
    } finally {
      await handle.close();
    }
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<ObjectInfo> {
    const path = this.#path(key);
    await this.#holds(key, options.when);
    const temporary = await this.#temporary();
    try {
      const passing = measured(this.place, key, body, options);
      await this.#told(key, async () => {
        const handle = await open(temporary, 'wx', 0o600);
        try {
          for await (const piece of passing) await writeAll(handle, piece);
          await handle.sync();
        } finally {
          await handle.close();
        }
      });
      const seen = await stat(temporary, { bigint: true });
      const info: ObjectInfo = {
        key,
        bytes: passing.bytes,
        version: versionOf(seen),
        modifiedAtMs: Number(seen.mtimeMs),
        sha256: passing.sha256(),
        metadata: { ...options.metadata },
      };
      await this.#publish(temporary, path, info, options.when);
      return info;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async remove(key: string, when?: Precondition): Promise<void> {
    const path = this.#path(key);
    const away = async (): Promise<void> => {
      await this.#holds(key, when);
      await rm(path, { force: true });
      await dropRecord(this.#root, key);
      await this.#pruneAbove(path);
    };
    await this.#told(key, async () => {
      await (when === undefined ? away() : whileLocked(this.#lockPath(key), away));
    });
  }

  /** Where the file system can share blocks between files, no byte is copied. */
  async copyFrom(
    source: ObjectRef,
    key: string,
    options: Pick<WriteOptions, 'when'> = {},
  ): Promise<ObjectInfo | null> {
    const from = source.store;
    // Without a digest the bytes have to be read anyway.
    if (!(from instanceof LocalStore) || source.info.sha256 === null) return null;
    const path = this.#path(key);
    const temporary = await this.#temporary();
    try {
      await this.#told(key, async () => {
        await copyFile(from.#path(source.info.key), temporary, constants.COPYFILE_FICLONE);
        const handle = await open(temporary, 'r+');
        await syncedAndClosed(handle);
      });
      const still = await from.head(source.info.key);
      if (still?.version !== source.info.version)
        throw preconditionFailed(from.place, source.info.key, 'it was changed while it was copied');
      await utimes(temporary, this.#now() / 1000, this.#now() / 1000);
      const seen = await stat(temporary, { bigint: true });
      const info = { ...source.info, key, version: versionOf(seen), modifiedAtMs: Number(seen.mtimeMs) };
      await this.#publish(temporary, path, info, options.when);
      return info;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #path(key: string): string {
    return join(this.#root, pathOf(nameFor(this.place, key)));
  }

  #lockPath(key: string): string {
    return join(this.#root, OWN_DIRECTORY, 'locks', createHash('sha256').update(key).digest('hex'));
  }

  async #temporary(): Promise<string> {
    const directory = join(this.#root, OWN_DIRECTORY, 'temporary');
    await this.#told('', async () => await mkdir(directory, { recursive: true, mode: 0o700 }));
    return join(directory, randomUUID());
  }

  async #told<T>(key: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw explainFileError(error, this.place, key);
    }
  }

  async #holds(key: string, when: Precondition | undefined): Promise<void> {
    if (when === undefined) return;
    const now = await this.head(key);
    if (when.kind === 'absent' && now !== null)
      throw preconditionFailed(this.place, key, 'it is there already');
    if (when.kind === 'version' && now?.version !== when.version)
      throw preconditionFailed(this.place, key, now === null ? 'it is gone' : 'another version');
  }

  async #publish(
    temporary: string,
    path: string,
    info: ObjectInfo,
    when: Precondition | undefined,
  ): Promise<void> {
    const place = async (): Promise<void> => {
      await this.#holds(info.key, when);
      await keepRecord(this.#root, info, `${temporary}.record`);
      await into(dirname(path), async () => {
        // A link refuses where a rename would replace.
        await (when?.kind === 'absent' ? link(temporary, path) : rename(temporary, path));
      });
    };
    try {
      await (when?.kind === 'version' ? whileLocked(this.#lockPath(info.key), place) : place());
    } catch (error) {
      if (when?.kind === 'absent' && isErrno(error, 'EEXIST'))
        throw preconditionFailed(this.place, info.key, 'it is there already');
      throw explainFileError(error, this.place, info.key);
    }
  }

  /** Directories that hold nothing any more are no objects. Stops at the first that holds something. */
  async #pruneAbove(path: string): Promise<void> {
    for (
      let directory = dirname(path);
      directory.length > this.#root.length;
      directory = dirname(directory)
    ) {
      const removed = await rmdir(directory).then(
        () => true,
        () => false,
      );
      if (!removed) return;
    }
  }

  /** Depth first, in the order of keys: a directory sorts as its name with the slash behind it. */
  async *#walk(above: string, prefix: string): AsyncGenerator<ObjectInfo> {
    const entries = await this.#told(above, async () => await this.#entries(above));
    for (const { key, path, isDirectory } of entries) {
      if (isDirectory) {
        if (key.startsWith(prefix) || prefix.startsWith(key)) yield* this.#walk(key, prefix);
        continue;
      }
      if (!key.startsWith(prefix)) continue;
      const seen = await this.#told(key, async () => await stat(path, { bigint: true })).catch(goneIsNull);
      if (seen === null) continue;
      // Skipping it in silence would leave it out of a mirror.
      if (!seen.isFile())
        throw new XcError('XC-5404', {
          subject: `${this.place} ${key}`,
          why: 'it is neither file nor directory',
        });
      yield await infoOf(this.#root, key, seen);
    }
  }

  async #entries(above: string): Promise<{ key: string; path: string; isDirectory: boolean }[]> {
    const directory = above === '' ? this.#root : join(this.#root, pathOf(above.slice(0, -1)));
    const names = await readdir(directory, { withFileTypes: true }).catch(goneIsNull);
    return (names ?? [])
      .filter(({ name }) => name !== OWN_DIRECTORY)
      .map((entry) => {
        const isDirectory = entry.isDirectory();
        const key = `${above}${partOf(entry.name)}${isDirectory ? '/' : ''}`;
        return { key, path: join(directory, entry.name), isDirectory };
      })
      .toSorted((a, b) => compareKeys(a.key, b.key));
  }
}

const goneIsNull = (error: unknown): null => {
  const cause = error instanceof XcError ? error.cause : error;
  if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return null;
  throw error;
};

const writeAll = async (handle: Awaited<ReturnType<typeof open>>, piece: Uint8Array): Promise<void> => {
  for (let at = 0; at < piece.byteLength;) at += (await handle.write(piece, at)).bytesWritten;
};

/** Somebody who removes the directory's last object removes the directory, too: then it is made again. */
const TRIES = 5;

/** Makes the directory, does the work in it, and makes that durable. */
const into = async (directory: string, work: () => Promise<void>, tries = TRIES): Promise<void> => {
  try {
    await mkdir(directory, { recursive: true });
    await work();
    await syncDirectory(directory);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || tries === 1) throw error;
    await into(directory, work, tries - 1);
  }
};

const syncedAndClosed = async (handle: Awaited<ReturnType<typeof open>>): Promise<void> => {
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** A rename is durable once its directory is. */
const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  await syncedAndClosed(handle);
};
