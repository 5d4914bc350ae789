/** Multipart uploads (Amazon S3 User Guide, "Uploading and copying objects using multipart upload"). */

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { toHeaders } from '../../core/objects/metadata.ts';
import type {
  ObjectInfo,
  PartialUploads,
  Precondition,
  UploadedPart,
  WriteOptions,
} from '../../core/objects/object-store.ts';
import { contentDiffers, objectGone } from '../../core/objects/store-errors.ts';
import { conditionHeaders } from './s3-conditions.ts';
import { statusOf } from './s3-errors.ts';
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
    const { ETag = '' } = await place.told(key, async () =>
      place.client.send(
        new UploadPartCommand({ ...place.at(key), UploadId: upload, PartNumber: number, Body: body }),
      ),
    );
    return { number, bytes: body.byteLength, tag: ETag };
  },

  async list(key, upload) {
    try {
      return await listed(place, key, upload);
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw place.explained(error, key);
    }
  },

  async finish(key, upload, parts, options = {}) {
    await holds(key, options.when);
    await place.told(key, async () =>
      place.client.send(
        new CompleteMultipartUploadCommand({
          ...place.at(key),
          UploadId: upload,
          MultipartUpload: {
            Parts: parts
              .toSorted((a, b) => a.number - b.number)
              .map(({ number, tag }) => ({ PartNumber: number, ETag: tag })),
          },
          ...conditionHeaders(options.when),
        }),
      ),
    );
    return await readBack(key, parts, options, head, place);
  },

  async abandon(key, upload) {
    try {
      await place.client.send(new AbortMultipartUploadCommand({ ...place.at(key), UploadId: upload }));
    } catch (error) {
      if (statusOf(error) !== 404) throw place.explained(error, key);
    }
  },
});

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

/** The answer to the last request is no proof of length: the object is. */
const readBack = async (
  key: string,
  parts: readonly UploadedPart[],
  options: WriteOptions,
  head: PartsHost['head'],
  place: S3Place,
): Promise<ObjectInfo> => {
  const info = await head(key);
  if (info === null) throw objectGone(place.name, key);
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (info.bytes !== bytes) throw contentDiffers(place.name, key, `${info.bytes} bytes instead of ${bytes}`);
  return { ...info, sha256: info.sha256 ?? options.sha256 ?? null };
};
