/** Uploads in parts as files below the store's own directory: what was sent is still there after a crash. */

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import type {
  ObjectInfo,
  ObjectStore,
  PartialUploads,
  UploadedPart,
  WriteOptions,
} from '../../core/objects/object-store.ts';
import { objectGone } from '../../core/objects/store-errors.ts';
import { explainFileError } from './file-errors.ts';

const OPTIONS_FILE = 'options.json';
const READ_BYTES = 256 * 1024;

/** Number and digest stand in the name, so that a listing says all and a part replaced by another one is noticed. */
const nameOf = (part: UploadedPart): string => `${part.number}.${part.bytes}.${part.tag}`;

const parse = (name: string): UploadedPart | null => {
  const [, number, bytes, tag] = /^(\d+)\.(\d+)\.([0-9a-f]{64})$/.exec(name) ?? [];
  return tag === undefined ? null : { number: Number(number), bytes: Number(bytes), tag };
};

export const localUploads = (store: ObjectStore, root: string): PartialUploads => {
  const directoryOf = (upload: string): string => join(root, upload);
  const told = async <T>(key: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explainFileError(error, store.place, key);
    }
  };
  const list = async (key: string, upload: string): Promise<readonly UploadedPart[] | null> =>
    await told(key, async () => {
      const names = await readdir(directoryOf(upload)).catch((error: unknown) => {
        if (isErrno(error, 'ENOENT')) return null;
        throw error;
      });
      const parts = names?.map(parse).filter((part) => part !== null);
      return parts?.toSorted((a, b) => a.number - b.number) ?? null;
    });

  return {
    smallestPartBytes: 1,
    largestPartBytes: 2 ** 30,
    mostParts: 100_000,
    list,

    async begin(key, options = {}) {
      const upload = randomUUID();
      await told(key, async () => {
        await mkdir(directoryOf(upload), { recursive: true, mode: 0o700 });
        await writeFile(join(directoryOf(upload), OPTIONS_FILE), JSON.stringify(options), { mode: 0o600 });
      });
      return upload;
    },

    async put(key, upload, number, body) {
      const tag = createHash('sha256').update(body).digest('hex');
      const part = { number, bytes: body.byteLength, tag };
      const temporary = join(directoryOf(upload), `.${randomUUID()}`);
      await told(key, async () => {
        const handle = await open(temporary, 'wx', 0o600);
        try {
          await handle.writeFile(body);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(temporary, join(directoryOf(upload), nameOf(part)));
        for (const earlier of (await list(key, upload)) ?? [])
          if (earlier.number === number && earlier.tag !== tag)
            await rm(join(directoryOf(upload), nameOf(earlier)), { force: true });
      });
      return part;
    },

    async finish(key, upload, parts, options = {}): Promise<ObjectInfo> {
      const here = new Set((await list(key, upload))?.map(nameOf));
      const missing = parts.find((part) => !here.has(nameOf(part)));
      if (missing) throw objectGone(store.place, `${key} (part ${missing.number} of upload ${upload})`);
      const begun = JSON.parse(
        await readFile(join(directoryOf(upload), OPTIONS_FILE), 'utf8'),
      ) as WriteOptions;
      const info = await store.write(key, joined(directoryOf(upload), parts), { ...begun, ...options });
      await rm(directoryOf(upload), { recursive: true, force: true });
      return info;
    },

    async abandon(key, upload) {
      await told(key, async () => {
        await rm(directoryOf(upload), { recursive: true, force: true });
      });
    },
  };
};

async function* joined(directory: string, parts: readonly UploadedPart[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    const handle = await open(join(directory, nameOf(part)), 'r');
    try {
      for (let at = 0; at < part.bytes;) {
        const piece = new Uint8Array(Math.min(READ_BYTES, part.bytes - at));
        const { bytesRead } = await handle.read(piece, 0, piece.length, at);
        if (bytesRead === 0) break;
        at += bytesRead;
        yield piece.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }
}
