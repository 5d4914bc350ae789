/** Objects in Azure Blob Storage, as block blobs. */

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { HexDigest } from '../../core/objects/hex-digest.ts';
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
import { unreachable } from '../../core/objects/store-errors.ts';
import { written, writtenInParts } from '../../core/objects/written.ts';
import type { Clock } from '../../core/time/clock.ts';
import { statusOf } from './azure-errors.ts';
import { conditionsOf, fromAzure, toAzure, unquoted } from './azure-metadata.ts';
import { azureParts } from './azure-parts.ts';
import { type AzureAddress, AzurePlace } from './azure-place.ts';

const PAGE_KEYS = 5000;

export class AzureStore implements ObjectStore {
  readonly kind = 'azure';
  readonly place: string;
  readonly parts: PartialUploads;
  readonly #at: AzurePlace;

  private constructor(place: AzurePlace) {
    this.#at = place;
    this.place = place.name;
    this.parts = azureParts(place, async (key) => await this.head(key));
  }

  /** The signal ends every wait and request of this store. */
  static async open(address: AzureAddress, clock: Clock, signal?: AbortSignal): Promise<AzureStore> {
    return new AzureStore(await AzurePlace.open(address, clock, signal));
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const own = this.#at.address.prefix;
    const blobs = this.#at.container.listBlobsFlat({ prefix: own + prefix, includeMetadata: true });
    for (let token: string | undefined; ;) {
      const from = token === undefined ? {} : { continuationToken: token };
      // Asked anew for each page: pages that failed once say afterwards that they are at their end.
      const page = await this.#at.told(
        prefix,
        async () => await blobs.byPage({ maxPageSize: PAGE_KEYS, ...from }).next(),
      );
      if (page.done === true) return;
      for (const { name, properties, metadata } of page.value.segment.blobItems)
        yield {
          key: name.slice(own.length),
          bytes: properties.contentLength ?? 0,
          version: unquoted(properties.etag),
          modifiedAtMs: properties.lastModified.getTime(),
          ...fromAzure(metadata),
        };
      token = page.value.continuationToken;
      if (token === undefined || token === '') return;
    }
  }

  async head(key: string): Promise<ObjectInfo | null> {
    return await this.#at.told(key, async () => {
      try {
        const seen = await this.#at.blob(key).getProperties();
        return {
          key,
          bytes: seen.contentLength ?? 0,
          version: unquoted(seen.etag),
          modifiedAtMs: seen.lastModified?.getTime() ?? 0,
          ...fromAzure(seen.metadata),
        };
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    });
  }

  read(key: string, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    return withinEnd(options.range, this.#read(key, options));
  }

  async *#read(key: string, { range, version }: ReadOptions): AsyncGenerator<Uint8Array> {
    const body = await this.#at.told(key, async () => {
      const count = range?.end === undefined ? undefined : range.end - range.first;
      const answer = await this.#at.blob(key).download(range?.first ?? 0, count, {
        conditions: version === undefined ? {} : conditionsOf({ kind: 'version', version }),
        abortSignal: this.#at.requests.patience.signal,
      });
      return answer.readableStreamBody as Readable;
    });
    try {
      for await (const piece of body) yield piece as Uint8Array;
    } catch (error) {
      this.#at.requests.patience.signal.throwIfAborted();
      throw unreachable(this.place, key, error);
    } finally {
      body.destroy();
    }
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<ObjectInfo> {
    this.#at.checkName(key);
    return await written(
      {
        place: this.place,
        small: async (bytes, sha256) => await this.#put(key, bytes, sha256, options),
        large: async (pieces, sha256) => await writtenInParts(this.parts, key, pieces, options, sha256),
      },
      key,
      body,
      options,
    );
  }

  async remove(key: string, when?: Precondition): Promise<void> {
    const remove = async (): Promise<true> => {
      try {
        await this.#at.blob(key).delete({ conditions: conditionsOf(when), deleteSnapshots: 'include' });
      } catch (error) {
        if (statusOf(error) !== 404 || when !== undefined) throw error;
      }
      return true;
    };
    await this.#at.told(key, remove, async () => await isGone(this, key));
  }

  /** Inside one account: another one would have to be given a key to this one. */
  async copyFrom(
    source: ObjectRef,
    key: string,
    options: Pick<WriteOptions, 'when'> = {},
  ): Promise<ObjectInfo | null> {
    const from = source.store;
    if (!(from instanceof AzureStore) || !this.#sameAccount(from)) return null;
    this.#at.checkName(key);
    await this.#at.told(key, async () => {
      const copy = await this.#at.blob(key).beginCopyFromURL(from.#at.blob(source.info.key).url, {
        conditions: conditionsOf(options.when),
        sourceConditions: conditionsOf({ kind: 'version', version: source.info.version }),
      });
      await copy.pollUntilDone();
    });
    return await readBack(this, key, source.info.bytes);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #sameAccount(other: AzureStore): boolean {
    const [here, there] = [this.#at.address, other.#at.address];
    return here.endpoint === there.endpoint && here.credentials?.account === there.credentials?.account;
  }

  async #put(key: string, body: Uint8Array, sha256: HexDigest, options: WriteOptions): Promise<ObjectInfo> {
    return await this.#at.told(
      key,
      async () => {
        const answer = await this.#at.blob(key).upload(body, body.byteLength, {
          ...this.#at.encryption(),
          conditions: conditionsOf(options.when),
          metadata: toAzure(options.metadata, sha256),
          // The service checks what arrives by it.
          transactionalContentMD5: createHash('md5').update(body).digest(),
          ...(options.contentType === undefined
            ? {}
            : { blobHTTPHeaders: { blobContentType: options.contentType } }),
          ...(this.#at.address.storageClass === undefined ? {} : { tier: this.#at.address.storageClass }),
        });
        return {
          key,
          bytes: body.byteLength,
          version: unquoted(answer.etag),
          modifiedAtMs: answer.lastModified?.getTime() ?? this.#at.clock.nowMs(),
          sha256,
          metadata: { ...options.metadata },
        };
      },
      async () => await contentThere(this, key, body.byteLength, sha256),
    );
  }
}
