/** The requests of the hot path: "GetObject", "HeadObject", "PutObject", "UploadPart" and "ListObjectsV2". */

import { createHash } from 'node:crypto';
import type { Dispatcher } from 'undici';
import type { HexDigest } from '../../core/objects/hex-digest.ts';
import { fromHeaders, toHeaders } from '../../core/objects/metadata.ts';
import type { ObjectInfo, ReadOptions, UploadedPart, WriteOptions } from '../../core/objects/object-store.ts';
import { rangeHeader } from '../../core/objects/ranges.ts';
import { conditionHeaders, unquoted } from './s3-conditions.ts';
import { type ListedPage, listedPage } from './s3-listing.ts';
import type { S3Place } from './s3-place.ts';

const METADATA = 'x-amz-meta-';

const headerOf = ({ headers }: Dispatcher.ResponseData, name: string): string => {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
};

/** The answer's head, its body still on the way. */
export const get = async (
  place: S3Place,
  key: string,
  { range, version }: ReadOptions,
): Promise<Dispatcher.ResponseData> =>
  await place.wire.send({
    method: 'GET',
    key: place.address.prefix + key,
    headers: {
      range: rangeHeader(range),
      'if-match': version,
    },
  });

export const head = async (place: S3Place, key: string): Promise<ObjectInfo> => {
  const answer = await place.wire.send({ method: 'HEAD', key: place.address.prefix + key });
  await answer.body.dump();
  const described = Object.keys(answer.headers).filter((name) => name.startsWith(METADATA));
  return {
    key,
    bytes: Number(headerOf(answer, 'content-length')),
    version: unquoted(headerOf(answer, 'etag')),
    modifiedAtMs: Date.parse(headerOf(answer, 'last-modified')),
    ...fromHeaders(
      Object.fromEntries(described.map((name) => [name.slice(METADATA.length), headerOf(answer, name)])),
    ),
  };
};

export const put = async (
  place: S3Place,
  key: string,
  bytes: Uint8Array,
  sha256: HexDigest,
  options: WriteOptions,
): Promise<ObjectInfo> => {
  const { IfMatch, IfNoneMatch } = conditionHeaders(options.when);
  const metadata = Object.entries(toHeaders(options.metadata, sha256));
  const answer = await place.wire.send({
    method: 'PUT',
    key: place.address.prefix + key,
    headers: {
      ...place.storageHeaders(),
      ...Object.fromEntries(metadata.map(([name, value]) => [METADATA + name, value])),
      'content-type': options.contentType ?? 'application/octet-stream',
      'if-match': IfMatch,
      'if-none-match': IfNoneMatch,
      // Kept by the store as its own: `GetObjectAttributes` shows it.
      'x-amz-checksum-sha256':
        place.address.checksums === 'when-supported'
          ? Buffer.from(sha256, 'hex').toString('base64')
          : undefined,
    },
    body: { bytes, sha256 },
  });
  await answer.body.dump();
  return {
    key,
    bytes: bytes.byteLength,
    version: unquoted(headerOf(answer, 'etag')),
    modifiedAtMs: place.clock.nowMs(),
    sha256,
    metadata: { ...options.metadata },
  };
};

export const putPart = async (
  place: S3Place,
  key: string,
  upload: string,
  number: number,
  bytes: Uint8Array,
): Promise<UploadedPart> => {
  const sha256 = createHash('sha256').update(bytes).digest('hex') as HexDigest;
  const answer = await place.wire.send({
    method: 'PUT',
    key: place.address.prefix + key,
    query: { partNumber: String(number), uploadId: upload },
    body: { bytes, sha256 },
  });
  await answer.body.dump();
  return { number, bytes: bytes.byteLength, tag: headerOf(answer, 'etag') };
};

export const listPage = async (place: S3Place, prefix: string, token: string | null): Promise<ListedPage> => {
  const answer = await place.wire.send({
    method: 'GET',
    key: null,
    query: {
      'list-type': '2',
      // XML cannot carry every key as it is.
      'encoding-type': 'url',
      prefix: place.address.prefix + prefix,
      ...(token === null ? {} : { 'continuation-token': token }),
    },
  });
  return listedPage(await answer.body.text(), place.name, place.address.prefix);
};
