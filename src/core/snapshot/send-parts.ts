/**
 * Sends the parts of a snapshot into a store, several side by side and each with bounded memory. Beside every part that
 * arrived stands a small record of it until the manifest is there. A snapshot that was cut short goes on under a later
 * snapshot of the database: each part is read again, and one whose bytes are still those of its record is not sent again.
 */

import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { ObjectStore } from '../objects/object-store.ts';
import { contentDiffers, objectGone } from '../objects/store-errors.ts';
import { partRecordSchema, recordKey } from './begun.ts';
import type { Compression, SnapshotPart } from './manifest.ts';
import type { PlannedPart } from './part-layout.ts';

type Bytes = AsyncIterable<Uint8Array>;

export interface SendPorts {
  readonly id: string;
  readonly store: ObjectStore;
  /** Rows of a part in the snapshot's format. Called again it gives the same bytes. */
  readonly read: (part: PlannedPart) => Promise<{ readonly body: Bytes; readonly rows: () => number }>;
  readonly compression: Compression;
  readonly compressed: (body: Bytes) => Bytes;
  /** Counts bytes that are sent; resolves when the next may be. */
  readonly spend: (bytes: number, signal: AbortSignal) => Promise<void> | null;
  /** Told of every part that is there. */
  readonly sent: (part: SnapshotPart, found: boolean) => void;
  /** Parts side by side. */
  readonly transfers: number;
  readonly signal: AbortSignal;
}

/** In the order of the parts. @throws what the first that failed met; the others are stopped */
export const sendParts = async (
  planned: readonly PlannedPart[],
  ports: SendPorts,
): Promise<SnapshotPart[]> => {
  const known = await readRecords(ports.store, ports.id);
  return await sideBySide(planned, ports.transfers, ports.signal, async (part, signal) => {
    const before = known.get(part.number);
    const found = before && (await isStill(part, before, { ...ports, signal })) ? before : null;
    const sent = found ?? (await send(part, { ...ports, signal }));
    ports.sent(sent, found !== null);
    return sent;
  });
};

const readRecords = async (store: ObjectStore, id: string): Promise<Map<number, SnapshotPart>> => {
  const records = new Map<number, SnapshotPart>();
  for await (const { key } of store.list(recordKey(id, ''))) {
    const pieces: Uint8Array[] = [];
    for await (const piece of store.read(key)) pieces.push(piece);
    const record = partRecordSchema.safeParse(asJson(Buffer.concat(pieces).toString()));
    // One that was cut off, or is of another version, is as good as none.
    if (record.success) records.set(record.data.number, record.data);
  }
  return records;
};

const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** Read again and hashed; nothing is sent. */
const isStill = async (part: PlannedPart, before: SnapshotPart, ports: SendPorts): Promise<boolean> => {
  if (before.key !== part.key) return false;
  const there = await ports.store.head(part.key);
  if (there === null || there.bytes !== before.bytes) return false;
  const { body, rows } = await ports.read(part);
  const hash = createHash('sha256');
  for await (const piece of body) {
    ports.signal.throwIfAborted();
    hash.update(piece);
  }
  return hash.digest('hex') === before.rawSha256 && rows() === before.rows;
};

const send = async (part: PlannedPart, ports: SendPorts): Promise<SnapshotPart> => {
  const { store, id, compression, signal } = ports;
  const { body, rows } = await ports.read(part);
  const raw = new MeasuredRows(body, compression === 'zstd');
  const passing = compression === 'zstd' ? ports.compressed(raw) : raw;
  const metadata = { snapshot: id, part: String(part.number) };
  const info = await store.write(part.key, paced(passing, ports.spend, signal), { metadata });
  if (info.sha256 === null) throw contentDiffers(store.place, part.key, 'the store gave no digest for it');
  const sent: SnapshotPart = {
    ...part,
    rows: rows(),
    bytes: info.bytes,
    sha256: info.sha256,
    rawBytes: raw.bytes,
    rawSha256: raw.sha256() ?? info.sha256,
  };
  await store.write(recordKey(id, part.number), once(Buffer.from(JSON.stringify(sent))));
  return sent;
};

/**
 * Looks at every part where it lies: its length, and its sha256 where the store keeps it. What its bytes are was measured
 * while they were sent, and is read back by a verification. @throws XcError XC-5403, XC-5401
 */
export const checkArrived = async (
  store: ObjectStore,
  parts: readonly SnapshotPart[],
  atOnce: number,
  signal: AbortSignal,
): Promise<void> => {
  await sideBySide(parts, atOnce, signal, async ({ key, bytes, sha256 }) => {
    const there = await store.head(key);
    if (there === null) throw objectGone(store.place, key);
    if (there.bytes !== bytes || (there.sha256 ?? sha256) !== sha256)
      throw contentDiffers(store.place, key, 'the store holds something else than was sent');
  });
};

class MeasuredRows {
  bytes = 0;
  readonly #body: Bytes;
  readonly #hash: ReturnType<typeof createHash> | null;

  /** @param hashes false where what is stored is hashed anyway, and is the same */
  constructor(body: Bytes, hashes: boolean) {
    this.#body = body;
    this.#hash = hashes ? createHash('sha256') : null;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const piece of this.#body) {
      this.bytes += piece.byteLength;
      this.#hash?.update(piece);
      yield piece;
    }
  }

  sha256(): string | null {
    return this.#hash?.digest('hex') ?? null;
  }
}

async function* paced(
  body: Bytes,
  spend: SendPorts['spend'],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    signal.throwIfAborted();
    await spend(piece.byteLength, signal);
    yield piece;
  }
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Results in the order of the items. The first failure stops the others, and is thrown when all have ended. */
export const sideBySide = async <T, R>(
  items: readonly T[],
  atOnce: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> => {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const results: R[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      const at = next++;
      if (at >= items.length || either.aborted) return;
      try {
        results[at] = await work(items[at]!, either);
      } catch (error) {
        failures.push(error);
        stop.abort(error);
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  if (failures.length > 0) throw failures[0];
  signal.throwIfAborted();
  return results;
};
