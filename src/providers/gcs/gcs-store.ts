/** Objects in Google Cloud Storage. */

import { CRC32C } from '@google-cloud/storage';
import { Buffer } from 'node:buffer';
import type { HexDigest } from '../../core/objects/hex-digest.ts';
import { toHeaders } from '../../core/objects/metadata.ts';
import type {
  ObjectInfo,
  ObjectRef,
  ObjectStore,
  PartialUploads,
  Precondition,
  ReadOptions,
  WriteOptions,
} from '../../core/objects/object-store.ts';
import { withinEnd } from '../../core/objects/ranges.ts';
import { contentThere, isGone, readBack } from '../../core/objects/read-back.ts';
import { behaviourOf, objectGone, preconditionFailed } from '../../core/objects/store-errors.ts';
import { written } from '../../core/objects/written.ts';
import type { Clock } from '../../core/time/clock.ts';
import { download } from './gcs-download.ts';
import { statusOf } from './gcs-errors.ts';
import { uploadLong } from './gcs-upload.ts';
import { gcsParts } from './gcs-parts.ts';
import { conditionsOf, type GcsAddress, GcsPlace, PARTS_PREFIX } from './gcs-place.ts';

const PAGE_KEYS = 1000;

export class GcsStore implements ObjectStore {
  readonly kind = 'gcs';
  readonly place: string;
  readonly parts: PartialUploads;
  readonly #at: GcsPlace;

  /** The signal ends every wait and request of this store. */
  constructor(address: GcsAddress, clock: Clock, signal?: AbortSignal) {
    this.#at = new GcsPlace(address, clock, signal);
    this.place = this.#at.name;
    this.parts = gcsParts(this.#at, async (key) => await this.head(key));
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const own = this.#at.address.prefix;
    let query: object | null = { prefix: own + prefix, maxResults: PAGE_KEYS, autoPaginate: false };
    while (query !== null) {
      const asked: object = query;
      const [files, next] = await this.#at.told(prefix, async () => await this.#at.bucket.getFiles(asked));
      for (const { name, metadata } of files) {
        const key = name.slice(own.length);
        if (!key.startsWith(PARTS_PREFIX)) yield this.#at.infoOf(key, metadata);
      }
      query = (next as object | undefined) ?? null;
    }
  }

  async head(key: string): Promise<ObjectInfo | null> {
    return await this.#at.told(key, async () => {
      try {
        const [seen] = await this.#at.file(key).getMetadata();
        return this.#at.infoOf(key, seen);
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    });
  }

  read(key: string, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    const body = download(this.#at, key, options, async () => (await this.head(key)) !== null);
    return withinEnd(options.range, body);
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<ObjectInfo> {
    this.#at.checkName(key);
    return await written(
      {
        place: this.place,
        small: async (bytes, sha256) =>
          await this.#at.told(
            key,
            async () => await this.#put(key, bytes, sha256, options),
            async () => await contentThere(this, key, bytes.byteLength, sha256),
          ),
        large: async (pieces, sha256) => {
          const stored = await uploadLong(this.#at, key, pieces, {
            resource: this.#described(key, options.sha256 ?? null, options),
            query: {
              kmsKeyName: this.#at.address.kmsKeyName,
              ifGenerationMatch: conditionsOf(options.when).ifGenerationMatch?.toString(),
            },
          });
          const info = this.#at.infoOf(key, stored);
          return await this.#describe(key, info, sha256());
        },
      },
      key,
      body,
      options,
    );
  }

  async remove(key: string, when?: Precondition): Promise<void> {
    const remove = async (): Promise<true> => {
      await this.#at.file(key).delete({ ignoreNotFound: when === undefined, ...conditionsOf(when) });
      return true;
    };
    await this.#at.told(key, remove, async () => await isGone(this, key));
  }

  async copyFrom(
    source: ObjectRef,
    key: string,
    options: Pick<WriteOptions, 'when'> = {},
  ): Promise<ObjectInfo | null> {
    const from = source.store;
    if (!(from instanceof GcsStore) || from.#at.address.endpoint !== this.#at.address.endpoint) return null;
    this.#at.checkName(key);
    try {
      await this.#at.told(key, async () => {
        await from.#at
          .file(source.info.key, source.info.version)
          .copy(this.#at.file(key), { preconditionOpts: conditionsOf(options.when) });
      });
    } catch (error) {
      if (behaviourOf(error) === 'auth') return null;
      if (behaviourOf(error) === 'gone' && (await from.head(source.info.key)) !== null)
        throw preconditionFailed(from.place, source.info.key, 'another version');
      throw error;
    }
    return await readBack(this, key, source.info.bytes);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #described(key: string, sha256: HexDigest | null, options: WriteOptions) {
    const { storageClass, prefix } = this.#at.address;
    return {
      name: prefix + key,
      contentType: options.contentType ?? 'application/octet-stream',
      metadata: toHeaders(options.metadata, sha256),
      ...(storageClass === undefined ? {} : { storageClass }),
    };
  }

  /** With the crc32c beside it: the service refuses what arrives with another one. */
  async #put(key: string, bytes: Uint8Array, sha256: HexDigest, options: WriteOptions): Promise<ObjectInfo> {
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const crc = new CRC32C();
    crc.update(body);
    const file = this.#at.file(key);
    const { kmsKeyName } = this.#at.address;
    const { name: _, ...described } = this.#described(key, sha256, options);
    await file.save(body, {
      resumable: false,
      validation: false,
      ...(kmsKeyName === undefined ? {} : { kmsKeyName }),
      preconditionOpts: conditionsOf(options.when),
      metadata: { ...described, crc32c: crc.toString() },
    });
    return this.#at.infoOf(key, file.metadata);
  }

  /** The digest of a body that was too long to be known before it was sent. The content stays the same version. */
  async #describe(key: string, info: ObjectInfo, sha256: HexDigest): Promise<ObjectInfo> {
    if (info.sha256 === sha256) return info;
    await this.#at.told(key, async () =>
      this.#at
        .file(key)
        .setMetadata(
          { metadata: toHeaders(info.metadata, sha256) },
          conditionsOf({ kind: 'version', version: info.version }),
        ),
    );
    const described = await this.head(key);
    if (described === null) throw objectGone(this.place, key);
    return described;
  }
}
