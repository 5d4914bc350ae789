/**
 * Uploads in parts: objects of their own below a hidden prefix, joined by "Objects: compose" inside the cloud, 32 at a
 * time, and removed afterwards.
 */

import { Buffer } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { asHexDigest } from '../../core/objects/hex-digest.ts';
import { toHeaders } from '../../core/objects/metadata.ts';
import type {
  ObjectInfo,
  PartialUploads,
  UploadedPart,
  WriteOptions,
} from '../../core/objects/object-store.ts';
import { readBack } from '../../core/objects/read-back.ts';
import { objectGone, preconditionFailed } from '../../core/objects/store-errors.ts';
import { statusOf } from './gcs-errors.ts';
import { conditionsOf, type GcsPlace, PARTS_PREFIX } from './gcs-place.ts';

/** "Composite objects": at most 32 sources a request. */
const SOURCES_A_REQUEST = 32;
const MOST_PARTS = 10_000;
const GIB = 1024 ** 3;
const BEGUN = 'begun.json';

const below = (upload: string): string => `${PARTS_PREFIX}${upload}/`;

const nameOf = (upload: string, number: number): string =>
  `${below(upload)}${String(number).padStart(6, '0')}`;

export const gcsParts = (
  place: GcsPlace,
  head: (key: string) => Promise<ObjectInfo | null>,
): PartialUploads => {
  const files = async (upload: string) => {
    const [found] = await place.bucket.getFiles({ prefix: place.address.prefix + below(upload) });
    return found;
  };
  const sweep = async (upload: string): Promise<void> => {
    for (const file of await files(upload)) await file.delete({ ignoreNotFound: true });
  };

  /** Joins names in order into one, over as many levels as it takes. */
  const joined = async (upload: string, names: readonly string[], level = 0): Promise<readonly string[]> => {
    if (names.length <= SOURCES_A_REQUEST) return names;
    const next: string[] = [];
    for (let at = 0; at < names.length; at += SOURCES_A_REQUEST) {
      const name = `${below(upload)}joined-${level}-${String(at).padStart(6, '0')}`;
      await combine(place, names.slice(at, at + SOURCES_A_REQUEST), name, {}, {});
      next.push(name);
    }
    return await joined(upload, next, level + 1);
  };

  return {
    smallestPartBytes: 1,
    largestPartBytes: 5 * GIB,
    mostParts: MOST_PARTS,

    async begin(key, options = {}) {
      place.checkName(key);
      const upload = randomUUID();
      const body = Buffer.from(JSON.stringify(options));
      await place.told(key, async () =>
        place.file(below(upload) + BEGUN).save(body, { resumable: false, ...place.encryption() }),
      );
      return upload;
    },

    async put(key, upload, number, body) {
      const file = place.file(nameOf(upload, number));
      await place.told(key, async () =>
        file.save(Buffer.from(body), { resumable: false, ...place.encryption() }),
      );
      return { number, bytes: body.byteLength, tag: String(file.metadata.generation) };
    },

    async list(key, upload) {
      const found = await place.told(key, async () => await files(upload));
      if (found.length === 0) return null;
      return found
        .filter(({ name }) => /\/\d{6}$/.test(name))
        .map(({ name, metadata }): UploadedPart => ({
          number: Number(name.slice(-6)),
          bytes: Number(metadata.size),
          tag: String(metadata.generation),
        }));
    },

    async finish(key, upload, parts, options = {}) {
      const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
      await place.told(key, async () => {
        const begun = await begunWith(place, below(upload) + BEGUN, key);
        const names = parts
          .toSorted((a, b) => a.number - b.number)
          .map(({ number }) => nameOf(upload, number));
        const sources = await joined(upload, names);
        await combine(place, sources, key, { ...begun, ...options }, conditionsOf(options.when));
      });
      const info = await readBack({ place: place.name, head }, key, bytes);
      await place.told(key, async () => {
        await sweep(upload);
      });
      return info;
    },

    async abandon(key, upload) {
      await place.told(key, async () => {
        await sweep(upload);
      });
    },
  };
};

const begunWith = async (place: GcsPlace, name: string, key: string): Promise<WriteOptions> => {
  try {
    const [text] = await place.file(name).download();
    return JSON.parse(text.toString()) as WriteOptions;
  } catch (error) {
    if (statusOf(error) === 404) throw objectGone(place.name, `${key} (upload)`);
    throw error;
  }
};

const combine = async (
  place: GcsPlace,
  sources: readonly string[],
  key: string,
  options: WriteOptions,
  conditions: { ifGenerationMatch?: string | number },
): Promise<void> => {
  const destination = place.file(key);
  destination.metadata = { contentType: options.contentType ?? 'application/octet-stream' };
  const metadata = toHeaders(options.metadata, asHexDigest(options.sha256 ?? ''));
  const from = sources.map((name) => place.file(name));
  try {
    await place.bucket.combine(from, destination, { ...conditions, ...place.encryption() });
    // The request that joins takes no metadata of ours.
    if (Object.keys(metadata).length > 0) await destination.setMetadata({ metadata });
  } catch (error) {
    if (statusOf(error) === 412) throw preconditionFailed(place.name, key, 'somebody else wrote it');
    throw error;
  }
};
