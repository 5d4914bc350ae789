/** Objects in Azure Blob Storage, as block blobs. */

import PQueue from 'p-queue';
import type { Readable } from 'node:stream';
import { gathered } from '../../core/objects/gathered.ts';
import type { HexDigest } from '../../core/objects/hex-digest.ts';
import { measured } from '../../core/objects/measured-body.ts';
import type {
  ObjectInfo,
  ObjectRef,
  ObjectStore,
  PartialUploads,
  Precondition,
  ReadOptions,
  UploadedPart,
  WriteOptions,
} from '../../core/objects/object-store.ts';
import { contentDiffers } from '../../core/objects/store-errors.ts';
import type { Clock } from '../../core/time/clock.ts';
import { statusOf } from './azure-errors.ts';
import { conditionsOf, fromAzure, toAzure, unquoted } from './azure-metadata.ts';
import { azureParts } from './azure-parts.ts';
import { type AzureAddress, AzurePlace } from './azure-place.ts';

const MIB = 1024 * 1024;
/** Up to here one request writes an object. 49,000 of them are 382 GiB; for longer bodies of known length they grow. */
const BLOCK_BYTES = 8 * MIB;
const BLOCKS = 49_000;
const BLOCKS_AT_ONCE = 4;

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

  static async open(address: AzureAddress, clock: Clock): Promise<AzureStore> {
    return new AzureStore(await AzurePlace.open(address, clock));
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const own = this.#at.address.prefix;
    const blobs = this.#at.container.listBlobsFlat({ prefix: own + prefix, includeMetadata: true });
    const pages = blobs.byPage({ maxPageSize: 5000 })[Symbol.asyncIterator]();
    for (;;) {
      const page = await this.#at.told(prefix, async () => await pages.next());
      if (page.done === true) return;
      for (const { name, properties, metadata } of page.value.segment.blobItems)
        yield {
          key: name.slice(own.length),
          bytes: properties.contentLength ?? 0,
          version: unquoted(properties.etag),
          modifiedAtMs: properties.lastModified.getTime(),
          ...fromAzure(metadata),
        };
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

  async *read(key: string, { range, version }: ReadOptions = {}): AsyncGenerator<Uint8Array> {
    const body = await this.#at.told(key, async () => {
      const count = range?.end === undefined ? undefined : range.end - range.first;
      const answer = await this.#at.blob(key).download(range?.first ?? 0, count, {
        conditions: version === undefined ? {} : conditionsOf({ kind: 'version', version }),
        maxRetryRequests: 3,
      });
      return answer.readableStreamBody as Readable;
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
    this.#at.checkName(key);
    const passing = measured(this.place, key, body, options);
    const pieces = gathered(passing, Math.max(BLOCK_BYTES, Math.ceil((options.bytes ?? 0) / BLOCKS)));
    const first = (await pieces.next()).value ?? new Uint8Array();
    const second = await pieces.next();
    if (second.done === true) return await this.#put(key, first, passing.sha256(), options);
    const rest = (async function* () {
      yield first;
      yield second.value;
      yield* pieces;
    })();
    const upload = await this.parts.begin(key);
    const parts = await this.#sent(key, upload, rest);
    return await this.parts.finish(key, upload, parts, { ...options, sha256: passing.sha256() });
  }

  async remove(key: string, when?: Precondition): Promise<void> {
    try {
      await this.#at.blob(key).delete({ conditions: conditionsOf(when), deleteSnapshots: 'include' });
    } catch (error) {
      if (statusOf(error) !== 404 || when !== undefined) throw this.#at.explained(error, key);
    }
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
    const info = await this.head(key);
    if (info?.bytes !== source.info.bytes)
      throw contentDiffers(this.place, key, `${info?.bytes ?? 'no'} bytes instead of ${source.info.bytes}`);
    return info;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #sameAccount(other: AzureStore): boolean {
    const [here, there] = [this.#at.address, other.#at.address];
    return here.endpoint === there.endpoint && here.credentials?.account === there.credentials?.account;
  }

  async #put(key: string, body: Uint8Array, sha256: HexDigest, options: WriteOptions): Promise<ObjectInfo> {
    const answer = await this.#at.told(key, async () =>
      this.#at.blob(key).upload(body, body.byteLength, {
        ...this.#at.encryption(),
        conditions: conditionsOf(options.when),
        metadata: toAzure(options.metadata, sha256),
        ...(options.contentType === undefined
          ? {}
          : { blobHTTPHeaders: { blobContentType: options.contentType } }),
        ...(this.#at.address.storageClass === undefined ? {} : { tier: this.#at.address.storageClass }),
      }),
    );
    return {
      key,
      bytes: body.byteLength,
      version: unquoted(answer.etag),
      modifiedAtMs: answer.lastModified?.getTime() ?? this.#at.clock.nowMs(),
      sha256,
      metadata: { ...options.metadata },
    };
  }

  /** Bounded: the next block is read when one of those under way has arrived. */
  async #sent(key: string, upload: string, pieces: AsyncIterable<Uint8Array>): Promise<UploadedPart[]> {
    const queue = new PQueue({ concurrency: BLOCKS_AT_ONCE });
    const parts: Promise<UploadedPart>[] = [];
    let failure: { readonly error: unknown } | null = null;
    let number = 0;
    for await (const piece of pieces) {
      if (failure !== null) break;
      number += 1;
      const at = number;
      const part = queue.add(async () => await this.parts.put(key, upload, at, piece));
      part.catch((error: unknown) => (failure ??= { error }));
      parts.push(part);
      await queue.onSizeLessThan(1);
    }
    return await Promise.all(parts);
  }
}
