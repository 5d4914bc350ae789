/** Objects in Amazon S3, and in what speaks its protocol. */

import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { gathered } from '../../core/objects/gathered.ts';
import type { HexDigest } from '../../core/objects/hex-digest.ts';
import { nameFor } from '../../core/objects/keys.ts';
import { measured } from '../../core/objects/measured-body.ts';
import { fromHeaders, toHeaders } from '../../core/objects/metadata.ts';
import type {
  ObjectInfo,
  ObjectRef,
  ObjectStore,
  PartialUploads,
  Precondition,
  ReadOptions,
  WriteOptions,
} from '../../core/objects/object-store.ts';
import {
  behaviourOf,
  contentDiffers,
  objectGone,
  preconditionFailed,
} from '../../core/objects/store-errors.ts';
import type { Clock } from '../../core/time/clock.ts';
import { conditionHeaders, unquoted } from './s3-conditions.ts';
import { statusOf } from './s3-errors.ts';
import { copyInParts } from './s3-large-copy.ts';
import { MOST_PARTS, s3Parts } from './s3-parts.ts';
import { type S3Address, S3Place } from './s3-place.ts';

const MIB = 1024 * 1024;
/** Up to here one request writes an object, and its digest is known before it is sent. */
const ONE_REQUEST_BYTES = 8 * MIB;
/** Parts of a body of unknown length: 10,000 of them are 156 GiB. */
const PART_BYTES = 16 * MIB;
const PARTS_AT_ONCE = 4;
/** CopyObject: "You can copy an object up to 5 GB in a single atomic action". */
const ONE_COPY_BYTES = 5 * 1024 * MIB;

export class S3Store implements ObjectStore {
  readonly kind = 's3';
  readonly place: string;
  readonly parts: PartialUploads;
  readonly #at: S3Place;

  constructor(address: S3Address, clock: Clock) {
    this.#at = new S3Place(address, clock);
    this.place = this.#at.name;
    this.parts = s3Parts({
      place: this.#at,
      head: async (key) => await this.head(key),
      holds: async (key, when) => await this.#holds(key, when),
    });
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const { Bucket, Key: Prefix } = this.#at.at(prefix);
    const own = this.#at.address.prefix.length;
    for (let token: string | undefined; ;) {
      const page = await this.#at.told(prefix, async () =>
        this.#at.client.send(
          // XML cannot carry every key as it is.
          new ListObjectsV2Command({ Bucket, Prefix, EncodingType: 'url', ContinuationToken: token }),
        ),
      );
      for (const { Key = '', Size = 0, ETag, LastModified } of page.Contents ?? [])
        yield {
          key: decodeURIComponent(Key.replaceAll('+', ' ')).slice(own),
          bytes: Size,
          version: unquoted(ETag),
          modifiedAtMs: LastModified?.getTime() ?? 0,
          sha256: null,
          metadata: {},
        };
      if (page.IsTruncated !== true) return;
      token = page.NextContinuationToken;
    }
  }

  async head(key: string): Promise<ObjectInfo | null> {
    return await this.#at.told(key, async () => {
      try {
        const seen = await this.#at.client.send(new HeadObjectCommand(this.#at.at(key)));
        return {
          key,
          bytes: seen.ContentLength ?? 0,
          version: unquoted(seen.ETag),
          modifiedAtMs: seen.LastModified?.getTime() ?? 0,
          ...fromHeaders(seen.Metadata ?? {}),
        };
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    });
  }

  async *read(key: string, { range, version }: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const body = await this.#at.told(key, async () => {
      const Range =
        range === undefined
          ? undefined
          : `bytes=${range.first}-${range.end === undefined ? '' : range.end - 1}`;
      const answer = await this.#at.client.send(
        new GetObjectCommand({ ...this.#at.at(key), Range, ...(version ? { IfMatch: version } : {}) }),
      );
      return answer.Body as Readable;
    });
    try {
      for await (const piece of body) yield piece as Uint8Array;
    } catch (error) {
      throw this.#at.explained(error, key);
    } finally {
      body.destroy();
    }
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<ObjectInfo> {
    nameFor(this.place, key);
    const passing = measured(this.place, key, body, options);
    const pieces = gathered(passing, ONE_REQUEST_BYTES);
    const first = (await pieces.next()).value ?? new Uint8Array();
    // A second piece, or the end, with what the measure says there.
    const second = await pieces.next();
    if (second.done === true) return await this.#put(key, first, passing.sha256(), options);
    const rest = (async function* () {
      yield first;
      yield second.value;
      yield* pieces;
    })();
    await this.#upload(key, rest, options);
    const info = await this.head(key);
    if (info === null) throw objectGone(this.place, key);
    return { ...info, sha256: passing.sha256() };
  }

  async remove(key: string, when?: Precondition): Promise<void> {
    await this.#holds(key, when);
    await this.#at.told(key, async () =>
      this.#at.client.send(new DeleteObjectCommand({ ...this.#at.at(key), ...conditionHeaders(when) })),
    );
  }

  /** Null from another endpoint, or where these credentials may not read the source. */
  async copyFrom(
    source: ObjectRef,
    key: string,
    options: Pick<WriteOptions, 'when'> = {},
  ): Promise<ObjectInfo | null> {
    const from = source.store;
    if (!(from instanceof S3Store) || from.#at.address.endpoint !== this.#at.address.endpoint) return null;
    nameFor(this.place, key);
    const same = { kind: 'version', version: source.info.version } as const;
    await this.#holds(key, options.when);
    await from.#holds(source.info.key, same);
    const { Bucket, Key } = from.#at.at(source.info.key);
    const origin = {
      CopySource: `${Bucket}/${Key.split('/').map(encodeURIComponent).join('/')}`,
      CopySourceIfMatch: source.info.version,
    };
    try {
      await this.#at.told(key, async () =>
        source.info.bytes > ONE_COPY_BYTES
          ? await copyInParts(this.#at, key, origin, (await from.head(source.info.key)) ?? source.info)
          : await this.#at.client.send(
              new CopyObjectCommand({
                ...this.#at.at(key),
                ...this.#at.storage(),
                ...origin,
                ...conditionHeaders(options.when),
              }),
            ),
      );
    } catch (error) {
      if (behaviourOf(error) === 'auth') return null;
      throw error;
    }
    // Where the condition was ignored, the source tells whether it was the same all the time.
    await from.#holds(source.info.key, same);
    const info = await this.head(key);
    if (info?.bytes !== source.info.bytes)
      throw contentDiffers(this.place, key, `${info?.bytes ?? 'no'} bytes instead of ${source.info.bytes}`);
    return info;
  }

  close(): Promise<void> {
    this.#at.client.destroy();
    return Promise.resolve();
  }

  async #put(key: string, body: Uint8Array, sha256: HexDigest, options: WriteOptions): Promise<ObjectInfo> {
    const answer = await this.#at.told(key, async () =>
      this.#at.client.send(
        new PutObjectCommand({
          ...this.#at.at(key),
          ...this.#at.storage(),
          ...conditionHeaders(options.when),
          Body: body,
          // The store's own check of what arrives: every S3 has this one.
          ContentMD5: createHash('md5').update(body).digest('base64'),
          ContentType: options.contentType,
          Metadata: toHeaders(options.metadata, sha256),
        }),
      ),
    );
    return {
      key,
      bytes: body.byteLength,
      version: unquoted(answer.ETag),
      modifiedAtMs: this.#at.clock.nowMs(),
      sha256,
      metadata: { ...options.metadata },
    };
  }

  async #upload(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions): Promise<void> {
    await this.#holds(key, options.when);
    const partSize = Math.max(PART_BYTES, Math.ceil((options.bytes ?? 0) / MOST_PARTS));
    const upload = new Upload({
      client: this.#at.client,
      queueSize: PARTS_AT_ONCE,
      partSize,
      params: {
        ...this.#at.at(key),
        ...this.#at.storage(),
        ...conditionHeaders(options.when),
        Body: Readable.from(body, { objectMode: false }),
        ContentType: options.contentType,
        Metadata: toHeaders(options.metadata, options.sha256 ?? null),
      },
    });
    await this.#at.told(key, async () => await upload.done());
  }

  /**
   * Servers that do not know a condition ignore it. Asked first, what is wrong already is refused by all of them, and
   * only an instant is left to those.
   */
  async #holds(key: string, when: Precondition | undefined): Promise<void> {
    if (when === undefined) return;
    const now = await this.head(key);
    if (when.kind === 'absent' && now !== null)
      throw preconditionFailed(this.place, key, 'it is there already');
    if (when.kind === 'version' && now?.version !== when.version)
      throw preconditionFailed(this.place, key, now === null ? 'it is gone' : 'another version');
  }
}
