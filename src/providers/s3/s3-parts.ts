/** Multipart uploads (Amazon S3 User Guide, "Uploading and copying objects using multipart upload"). */

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import { toHeaders } from '../../core/objects/metadata.ts';
import type {
  ObjectInfo,
  PartialUploads,
  Precondition,
  UploadedPart,
} from '../../core/objects/object-store.ts';
import { retried } from '../../core/objects/patience.ts';
import { readBack } from '../../core/objects/read-back.ts';
import { createHash } from 'node:crypto';
import { conditionHeaders, unquoted } from './s3-conditions.ts';
import { statusOf } from './s3-errors.ts';
import { putPart } from './s3-objects.ts';
import type { S3Place } from './s3-place.ts';

const MIB = 1024 * 1024;

/** "Amazon S3 multipart upload limits". */
export const SMALLEST_PART_BYTES = 5 * MIB;
const LARGEST_PART_BYTES = 5 * 1024 * MIB;
export const MOST_PARTS = 10_000;

/** What the store itself offers to an upload in parts. */
export interface PartsHost {
  readonly place: S3Place;
  readonly head: (key: string) => Promise<ObjectInfo | null>;
  readonly holds: (key: string, when: Precondition | undefined) => Promise<void>;
}

export const s3Parts = ({ place, head, holds }: PartsHost): PartialUploads => ({
  smallestPartBytes: SMALLEST_PART_BYTES,
  largestPartBytes: LARGEST_PART_BYTES,
  mostParts: MOST_PARTS,

  async begin(key, options = {}) {
    const { UploadId } = await place.told(key, async () =>
      place.client.send(
        new CreateMultipartUploadCommand({
          ...place.at(key),
          ...place.storage(),
          ContentType: options.contentType,
          Metadata: toHeaders(options.metadata, options.sha256 ?? null),
        }),
      ),
    );
    return UploadId ?? '';
  },

  async put(key, upload, number, body) {
    return await place.told(key, async () => await putPart(place, key, upload, number, body));
  },

  async list(key, upload) {
    return await place.told(key, async () => {
      try {
        return await listed(place, key, upload);
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    });
  },

  async finish(key, upload, parts, options = {}) {
    await holds(key, options.when);
    const ordered = parts.toSorted((a, b) => a.number - b.number);
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const info = await place.told(
      key,
      async () => {
        await place.client.send(
          new CompleteMultipartUploadCommand({
            ...place.at(key),
            UploadId: upload,
            MultipartUpload: { Parts: ordered.map(({ number, tag }) => ({ PartNumber: number, ETag: tag })) },
            ...conditionHeaders(options.when),
          }),
        );
        return await readBack({ place: place.name, head }, key, bytes);
      },
      async () => {
        const there = await head(key);
        return there?.bytes === bytes && there.version === joinedTag(ordered) ? there : null;
      },
    );
    return { ...info, sha256: info.sha256 ?? options.sha256 ?? null };
  },

  async abandon(key, upload) {
    const abort = async (): Promise<void> => {
      try {
        await place.client.send(new AbortMultipartUploadCommand({ ...place.at(key), UploadId: upload }));
      } catch (error) {
        if (statusOf(error) !== 404) throw place.requests.explained(error, key);
      }
    };
    // Also of a command that was told to end: what it sent would stay, and be paid for.
    await retried(abort, { ...place.requests.patience, signal: new AbortController().signal, attempts: 3 });
  },
});

/** "Checking object integrity": the ETag of joined parts is of theirs, where no key of KMS is in the way. */
const joinedTag = (parts: readonly UploadedPart[]): string => {
  const hash = createHash('md5');
  for (const { tag } of parts) hash.update(Buffer.from(unquoted(tag), 'hex'));
  return `${hash.digest('hex')}-${parts.length}`;
};

const listed = async (place: S3Place, key: string, upload: string): Promise<UploadedPart[]> => {
  const parts: UploadedPart[] = [];
  for (let after: string | undefined; ;) {
    const page = await place.client.send(
      new ListPartsCommand({ ...place.at(key), UploadId: upload, PartNumberMarker: after }),
    );
    for (const { PartNumber = 0, Size = 0, ETag = '' } of page.Parts ?? [])
      parts.push({ number: PartNumber, bytes: Size, tag: ETag });
    if (page.IsTruncated !== true) return parts;
    after = page.NextPartNumberMarker;
  }
};
