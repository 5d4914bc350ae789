/** Objects in Google Cloud Storage. */

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gathered } from '../../core/objects/gathered.ts';
import type { HexDigest } from '../../core/objects/hex-digest.ts';
import { measured } from '../../core/objects/measured-body.ts';
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
import { contentDiffers, objectGone, preconditionFailed } from '../../core/objects/store-errors.ts';
import type { Clock } from '../../core/time/clock.ts';
import { download } from './gcs-download.ts';
import { statusOf } from './gcs-errors.ts';
import { gcsParts } from './gcs-parts.ts';
import { conditionsOf, type GcsAddress, GcsPlace, PARTS_PREFIX } from './gcs-place.ts';

const MIB = 1024 * 1024;
/** Up to here one request writes an object, and its digest is known before it is sent. */
const ONE_REQUEST_BYTES = 8 * MIB;
const PAGE_KEYS = 1000;

export class GcsStore implements ObjectStore {
  readonly kind = 'gcs';
  readonly place: string;
  readonly parts: PartialUploads;
  readonly #at: GcsPlace;

  constructor(address: GcsAddress, clock: Clock) {
    this.#at = new GcsPlace(address, clock);
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
    return download(this.#at, key, options, async () => (await this.head(key)) !== null);
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<ObjectInfo> {
    this.#at.checkName(key);
    const passing = measured(this.place, key, body, options);
    const pieces = gathered(passing, ONE_REQUEST_BYTES);
    const first = (await pieces.next()).value ?? new Uint8Array();
    const second = await pieces.next();
    if (second.done === true) return await this.#send(key, [first], false, passing.sha256(), options);
    const rest = (async function* () {
      yield first;
      yield second.value;
      yield* pieces;
    })();
    const info = await this.#send(key, rest, true, options.sha256 ?? null, options);
    return await this.#describe(key, info, passing.sha256());
  }

  async remove(key: string, when?: Precondition): Promise<void> {
    await this.#at.told(key, async () => {
      await this.#at.file(key).delete({ ignoreNotFound: when === undefined, ...conditionsOf(when) });
    });
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
      await from.#at
        .file(source.info.key, source.info.version)
        .copy(this.#at.file(key), { preconditionOpts: conditionsOf(options.when) });
    } catch (error) {
      if (statusOf(error) === 403) return null;
      if (statusOf(error) === 404 && (await from.head(source.info.key)) !== null)
        throw preconditionFailed(from.place, source.info.key, 'another version');
      throw this.#at.explained(error, key);
    }
    const info = await this.head(key);
    if (info?.bytes !== source.info.bytes)
      throw contentDiffers(this.place, key, `${info?.bytes ?? 'no'} bytes instead of ${source.info.bytes}`);
    return info;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The client sends crc32c with it, and the service refuses what arrives with another one. */
  async #send(
    key: string,
    body: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    resumable: boolean,
    sha256: HexDigest | null,
    options: WriteOptions,
  ): Promise<ObjectInfo> {
    const file = this.#at.file(key);
    const { storageClass, kmsKeyName } = this.#at.address;
    const sink = file.createWriteStream({
      resumable,
      validation: 'crc32c',
      ...(kmsKeyName === undefined ? {} : { kmsKeyName }),
      preconditionOpts: conditionsOf(options.when),
      metadata: {
        contentType: options.contentType ?? 'application/octet-stream',
        metadata: toHeaders(options.metadata, sha256),
        ...(storageClass === undefined ? {} : { storageClass }),
      },
    });
    await this.#at.told(key, async () => {
      await pipeline(Readable.from(body, { objectMode: false }), sink);
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
