/** Objects in this process's memory: for tests, and for simulation, where nothing outlives the run. */

import { Buffer } from 'node:buffer';
import { compareKeys, nameFor } from '../../core/objects/keys.ts';
import { measured } from '../../core/objects/measured-body.ts';
import type {
  ObjectInfo,
  ObjectStore,
  PartialUploads,
  Precondition,
  UploadedPart,
  WriteOptions,
} from '../../core/objects/object-store.ts';
import { objectGone, preconditionFailed } from '../../core/objects/store-errors.ts';
import type { Clock } from '../../core/time/clock.ts';

interface Held {
  readonly info: ObjectInfo;
  readonly body: Buffer;
}

interface Upload {
  readonly options: Omit<WriteOptions, 'when'>;
  readonly parts: Map<number, { readonly part: UploadedPart; readonly body: Buffer }>;
}

/** Pieces of a read: as large as a socket's, so that callers meet more than one. */
const PIECE_BYTES = 64 * 1024;

export class MemoryStore implements ObjectStore {
  readonly kind = 'memory';
  readonly place: string;
  readonly parts: PartialUploads;
  readonly #clock: Clock;
  readonly #objects = new Map<string, Held>();
  readonly #uploads = new Map<string, Upload>();
  #writes = 0;

  constructor(clock: Clock, place = 'memory:') {
    this.#clock = clock;
    this.place = place;
    this.parts = {
      smallestPartBytes: 1,
      largestPartBytes: 2 ** 30,
      mostParts: 10_000,
      begin: (key, options = {}) => {
        const id = `upload-${(this.#writes += 1)}`;
        this.#uploads.set(id, { options: { ...options }, parts: new Map() });
        return Promise.resolve(nameFor(this.place, key) && id);
      },
      put: async (key, upload, number, body) => this.#putPart(key, upload, number, body),
      list: (_, upload) => Promise.resolve(this.#listParts(upload)),
      finish: async (key, upload, parts, options = {}) => this.#finish(key, upload, parts, options),
      abandon: (_, upload) => Promise.resolve(void this.#uploads.delete(upload)),
    };
  }

  async *list(prefix: string): AsyncGenerator<ObjectInfo> {
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).toSorted(compareKeys);
    for (const key of keys) {
      const held = this.#objects.get(key);
      if (held) yield held.info;
    }
  }

  head(key: string): Promise<ObjectInfo | null> {
    return Promise.resolve(this.#objects.get(key)?.info ?? null);
  }

  async *read(
    key: string,
    options: { range?: { first: number; end?: number }; version?: string } = {},
  ): AsyncGenerator<Uint8Array> {
    const held = this.#objects.get(key);
    if (!held) throw objectGone(this.place, key);
    if (options.version !== undefined && options.version !== held.info.version)
      throw preconditionFailed(this.place, key, 'another version');
    const end = Math.min(options.range?.end ?? held.body.byteLength, held.body.byteLength);
    for (let at = options.range?.first ?? 0; at < end; at += PIECE_BYTES)
      yield Uint8Array.from(held.body.subarray(at, Math.min(at + PIECE_BYTES, end)));
  }

  async write(key: string, body: AsyncIterable<Uint8Array>, options: WriteOptions = {}): Promise<ObjectInfo> {
    nameFor(this.place, key);
    this.#check(key, options.when);
    const passing = measured(this.place, key, body, options);
    const pieces: Uint8Array[] = [];
    for await (const piece of passing) pieces.push(Uint8Array.from(piece));
    // What was true before the body came may not be so after it.
    this.#check(key, options.when);
    const info: ObjectInfo = {
      key,
      bytes: passing.bytes,
      version: String((this.#writes += 1)),
      modifiedAtMs: this.#clock.nowMs(),
      sha256: passing.sha256(),
      metadata: { ...options.metadata },
    };
    this.#objects.set(key, { info, body: Buffer.concat(pieces) });
    return info;
  }

  async remove(key: string, when?: Precondition): Promise<void> {
    this.#check(key, when);
    this.#objects.delete(key);
  }

  async copyFrom(
    source: { store: ObjectStore; info: ObjectInfo },
    key: string,
    options: { when?: Precondition } = {},
  ): Promise<ObjectInfo | null> {
    if (!(source.store instanceof MemoryStore)) return null;
    const { info } = source;
    return await this.write(key, source.store.read(info.key, { version: info.version }), {
      metadata: info.metadata,
      ...options,
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #check(key: string, when: Precondition | undefined): void {
    const version = this.#objects.get(key)?.info.version;
    if (when?.kind === 'absent' && version !== undefined)
      throw preconditionFailed(this.place, key, 'it is there already');
    if (when?.kind === 'version' && version !== when.version)
      throw preconditionFailed(this.place, key, version === undefined ? 'it is gone' : 'another version');
  }

  #upload(key: string, id: string): Upload {
    const upload = this.#uploads.get(id);
    if (!upload) throw objectGone(this.place, `${key} (upload ${id})`);
    return upload;
  }

  #putPart(key: string, id: string, number: number, body: Uint8Array): UploadedPart {
    const part = { number, bytes: body.byteLength, tag: `${id}.${number}.${(this.#writes += 1)}` };
    this.#upload(key, id).parts.set(number, { part, body: Buffer.from(body) });
    return part;
  }

  #listParts(id: string): readonly UploadedPart[] | null {
    const upload = this.#uploads.get(id);
    if (!upload) return null;
    return [...upload.parts.values()].map(({ part }) => part).toSorted((a, b) => a.number - b.number);
  }

  async #finish(
    key: string,
    id: string,
    parts: readonly UploadedPart[],
    options: WriteOptions,
  ): Promise<ObjectInfo> {
    const upload = this.#upload(key, id);
    const bodies = parts.map(({ number, tag }) => {
      const held = upload.parts.get(number);
      if (held?.part.tag !== tag) throw objectGone(this.place, `${key} (part ${number} of upload ${id})`);
      return held.body;
    });
    const body = (async function* () {
      yield* bodies;
    })();
    const info = await this.write(key, body, { ...upload.options, ...options });
    this.#uploads.delete(id);
    return info;
  }
}
