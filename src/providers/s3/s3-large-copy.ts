/** A copy inside the cloud of what one request cannot copy: by ranges, as parts of an upload. */

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import PQueue from 'p-queue';
import { toHeaders } from '../../core/objects/metadata.ts';
import type { ObjectInfo } from '../../core/objects/object-store.ts';
import type { S3Place } from './s3-place.ts';

const PART_BYTES = 1024 ** 3;
const PARTS_AT_ONCE = 8;

export const copyInParts = async (
  place: S3Place,
  key: string,
  origin: { readonly CopySource: string; readonly CopySourceIfMatch: string },
  info: ObjectInfo,
  partBytes = PART_BYTES,
): Promise<void> => {
  const { UploadId } = await place.client.send(
    new CreateMultipartUploadCommand({
      ...place.at(key),
      ...place.storage(),
      Metadata: toHeaders(info.metadata, info.sha256),
    }),
  );
  try {
    const queue = new PQueue({ concurrency: PARTS_AT_ONCE });
    const numbers = Array.from({ length: Math.ceil(info.bytes / partBytes) }, (_, at) => at + 1);
    const Parts = await queue.addAll(
      numbers.map((PartNumber) => async () => {
        const first = (PartNumber - 1) * partBytes;
        const CopySourceRange = `bytes=${first}-${Math.min(first + partBytes, info.bytes) - 1}`;
        const part = await place.client.send(
          new UploadPartCopyCommand({ ...place.at(key), ...origin, UploadId, PartNumber, CopySourceRange }),
        );
        return { PartNumber, ETag: part.CopyPartResult?.ETag };
      }),
    );
    await place.client.send(
      new CompleteMultipartUploadCommand({ ...place.at(key), UploadId, MultipartUpload: { Parts } }),
    );
  } catch (error) {
    await place.client.send(new AbortMultipartUploadCommand({ ...place.at(key), UploadId }));
    throw error;
  }
};
