/** Objects in Amazon S3, and in what speaks its protocol. */

import { CopyObjectCommand, DeleteObjectCommand } from '@aws-sdk/client-s3';
import { nameFor } from '../../core/objects/keys.ts';
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
import { behaviourOf, preconditionFailed } from '../../core/objects/store-errors.ts';
import { written, writtenInParts } from '../../core/objects/written.ts';
import type { Clock } from '../../core/time/clock.ts';
import { conditionHeaders } from './s3-conditions.ts';
import { copyInParts } from './s3-large-copy.ts';
import type { ListedPage } from './s3-listing.ts';
import { get, head, listPage, put } from './s3-objects.ts';
import { s3Parts } from './s3-parts.ts';
import { type S3Address, S3Place } from './s3-place.ts';

/** CopyObject: "You can copy an object up to 5 GB in a single atomic action". */
const ONE_COPY_BYTES = 5 * 1024 ** 3;

export class S3Store implements ObjectStore {
  readonly kind = 's3';
  readonly place: string;
  readonly parts: PartialUploads;
  readonly #at: S3Place;

  /** The signal ends every wait and request of this store. */
  constructor(address: S3Address, clock: Clock, signal?: AbortSignal) {
    this.#at = new S3Place(address, clock, signal);
    this.place = this.#at.name;
    this.parts = s3Parts({
      place: this.#at,
      head: async (key) => await this.head(key),
      holds: async (key, when) => await this.#holds(key, when),
    });
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    for (let token: string | null = null; ;) {
      const after: string | null = token;
      const page: ListedPage = await this.#at.told(
        prefix,
        async () => await listPage(this.#at, prefix, after),
      );
      yield* page.objects;
      if (page.next === null) return;
      token = page.next;
    }
  }

  async head(key: string): Promise<ObjectInfo | null> {
    try {
      return await this.#at.told(key, async () => await head(this.#at, key));
    } catch (error) {
      if (behaviourOf(error) === 'gone') return null;
      throw error;
    }
  }

  read(key: string, options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    return withinEnd(options.range, this.#read(key, options));
  }

  async *#read(key: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    const { body } = await this.#at.told(key, async () => await get(this.#at, key, options));
    try {
      for await (const piece of body) yield piece as Uint8Array;
    } catch (error) {
      this.#at.requests.patience.signal.throwIfAborted();
      throw this.#at.requests.explained(error, key);
    } finally {
      body.destroy();
    }
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<ObjectInfo> {
    nameFor(this.place, key);
    return await written(
      {
        place: this.place,
        small: async (bytes, sha256) =>
          await this.#at.told(
            key,
            async () => await put(this.#at, key, bytes, sha256, options),
            async () => await contentThere(this, key, bytes.byteLength, sha256),
          ),
        large: async (pieces, sha256) => {
          await this.#holds(key, options.when);
          return await writtenInParts(this.parts, key, pieces, options, sha256);
        },
      },
      key,
      body,
      options,
    );
  }

  async remove(key: string, when?: Precondition): Promise<void> {
    await this.#holds(key, when);
    await this.#at.told(
      key,
      async () => {
        await this.#at.client.send(
          new DeleteObjectCommand({ ...this.#at.at(key), ...conditionHeaders(when) }),
        );
        return true;
      },
      async () => await isGone(this, key),
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
    return await readBack(this, key, source.info.bytes);
  }

  async close(): Promise<void> {
    await this.#at.close();
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
