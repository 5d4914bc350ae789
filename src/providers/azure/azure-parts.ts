/**
 * Uploads in parts: blocks that wait until they are committed ("Put Block", "Put Block List"). Azure knows a block by the
 * blob and an id, and no upload; so an upload is a random beginning of its blocks' ids, and what was given at its begin
 * travels in its own name. Blocks that are never committed vanish after a week; nothing removes them earlier without
 * touching the blob.
 */

import { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import { asHexDigest } from '../../core/objects/hex-digest.ts';
import type {
  ObjectInfo,
  PartialUploads,
  UploadedPart,
  WriteOptions,
} from '../../core/objects/object-store.ts';
import { contentThere, readBack } from '../../core/objects/read-back.ts';
import { conditionsOf, toAzure } from './azure-metadata.ts';
import { statusOf } from './azure-errors.ts';
import type { AzurePlace } from './azure-place.ts';

const MIB = 1024 * 1024;
const MOST_BLOCKS = 50_000;
const LARGEST_BLOCK_BYTES = 4000 * MIB;

interface Begun {
  /** Hex; all blocks of a blob must have ids of one length. */
  readonly id: string;
  readonly options: Omit<WriteOptions, 'when'>;
}

const nameOf = (begun: Begun): string => Buffer.from(JSON.stringify(begun)).toString('base64url');

const begunBy = (upload: string): Begun => JSON.parse(Buffer.from(upload, 'base64url').toString()) as Begun;

/** A part that is put again takes the place of the one before. */
const blockId = (id: string, number: number): string =>
  Buffer.from(`${id}.${String(number).padStart(6, '0')}`).toString('base64');

const partOf = (id: string, name: string, bytes: number): UploadedPart | null => {
  const [owner, number] = Buffer.from(name, 'base64').toString().split('.');
  return owner === id ? { number: Number(number), bytes, tag: name } : null;
};

export const azureParts = (
  place: AzurePlace,
  head: (key: string) => Promise<ObjectInfo | null>,
): PartialUploads => ({
  smallestPartBytes: 1,
  largestPartBytes: LARGEST_BLOCK_BYTES,
  mostParts: MOST_BLOCKS,

  begin(key, options = {}) {
    place.checkName(key);
    return Promise.resolve(nameOf({ id: randomBytes(12).toString('hex'), options }));
  },

  async put(key, upload, number, body) {
    const tag = blockId(begunBy(upload).id, number);
    await place.told(key, async () =>
      place.blob(key).stageBlock(tag, body, body.byteLength, {
        ...place.encryption(),
        // The service checks what arrives by it.
        transactionalContentMD5: createHash('md5').update(body).digest(),
      }),
    );
    return { number, bytes: body.byteLength, tag };
  },

  async list(key, upload) {
    const { id } = begunBy(upload);
    return await place.told(key, async () => {
      try {
        const { uncommittedBlocks = [] } = await place.blob(key).getBlockList('uncommitted');
        return uncommittedBlocks
          .map(({ name, size }) => partOf(id, name, size))
          .filter((part) => part !== null)
          .toSorted((a, b) => a.number - b.number);
      } catch (error) {
        if (statusOf(error) === 404) return [];
        throw error;
      }
    });
  },

  async finish(key, upload, parts, options = {}) {
    const begun = begunBy(upload).options;
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const sha256 = asHexDigest(options.sha256 ?? begun.sha256 ?? '');
    const contentType = options.contentType ?? begun.contentType;
    const tags = parts.toSorted((a, b) => a.number - b.number).map(({ tag }) => tag);
    return await place.told(
      key,
      async () => {
        await place.blob(key).commitBlockList(tags, {
          ...place.encryption(),
          conditions: conditionsOf(options.when),
          metadata: toAzure(options.metadata ?? begun.metadata, sha256),
          ...(contentType === undefined ? {} : { blobHTTPHeaders: { blobContentType: contentType } }),
          ...(place.address.storageClass === undefined ? {} : { tier: place.address.storageClass }),
        });
        return await readBack({ place: place.name, head }, key, bytes);
      },
      async () => await contentThere({ head }, key, bytes, sha256),
    );
  },

  abandon() {
    return Promise.resolve();
  },
});
