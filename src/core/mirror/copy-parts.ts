/**
 * A large object, in parts that survive this process. Which upload is under way stands beside the lease in the target
 * store, so that another host can go on. What was sent already is read from the source once more, since the digest is of
 * the whole, and not sent again.
 */

import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { gathered } from '../objects/gathered.ts';
import type { HexDigest } from '../objects/hex-digest.ts';
import type {
  ObjectInfo,
  ObjectStore,
  PartialUploads,
  Precondition,
  UploadedPart,
} from '../objects/object-store.ts';
import { resumedRead } from '../objects/resumed-read.ts';
import { behaviourOf } from '../objects/store-errors.ts';
import { OWN_PREFIX, SOURCE_MARK } from './entry.ts';
import { versionMark } from './decide.ts';
import { patienceOf, type MirrorPorts } from './ports.ts';

export const UPLOADS_PREFIX = `${OWN_PREFIX}mirrors/uploads/`;

const MIB = 1024 * 1024;

const underWay = z.strictObject({
  schemaVersion: z.literal(1),
  mirror: z.string(),
  key: z.string(),
  version: z.string(),
  upload: z.string(),
  partBytes: z.int(),
});
export type UnderWay = z.output<typeof underWay>;

const recordKey = (key: string): string =>
  `${UPLOADS_PREFIX}${createHash('sha256').update(key).digest('hex')}.json`;

/** Parts that the store takes, few enough for the whole. */
export const partBytesFor = (
  bytes: number,
  leastBytes: number,
  { smallestPartBytes, mostParts }: Pick<PartialUploads, 'smallestPartBytes' | 'mostParts'>,
): number => {
  const least = Math.max(leastBytes, smallestPartBytes);
  const needed = Math.ceil(bytes / mostParts);
  return needed <= least ? least : Math.ceil(needed / MIB) * MIB;
};

export interface Sent {
  readonly info: ObjectInfo;
  readonly sha256: HexDigest;
  /** What went over the wire now: less than the object where parts were there already. */
  readonly bytesSent: number;
}

/** @param key of the target, whole */
export const copyInParts = async (
  ports: MirrorPorts,
  uploads: PartialUploads,
  from: ObjectInfo,
  key: string,
  when: Precondition,
): Promise<Sent> => {
  const partBytes = partBytesFor(from.bytes, ports.parts.leastBytes, uploads);
  const { upload, there } = await begunUpload(ports, uploads, { from, key, partBytes });
  const sending = sender(ports, uploads, { key, upload, there, partBytes });
  const hash = createHash('sha256');
  const body = resumedRead(ports.source, from, patienceOf(ports));
  const pieces = gathered(paced(body, ports.pace), partBytes);
  try {
    for (let number = 1; !sending.failed; number += 1) {
      const release = await ports.room.take(Math.min(partBytes, from.bytes));
      try {
        const piece = await pieces.next();
        if (piece.done === true) break;
        hash.update(piece.value);
        sending.put(number, piece.value, release);
      } finally {
        sending.settle(release);
      }
    }
  } finally {
    await pieces.return(undefined);
    await sending.idle();
  }
  const parts = await sending.all();
  const sha256 = hash.digest('hex') as HexDigest;
  const info = await uploads.finish(key, upload, parts, { when, sha256 });
  await ports.target.remove(recordKey(key));
  return { info, sha256, bytesSent: sending.bytesSent };
};

export async function* paced(
  body: AsyncIterable<Uint8Array>,
  pace: MirrorPorts['pace'],
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    const wait = pace(piece.byteLength);
    if (wait) await wait;
    yield piece;
  }
}

interface Sending {
  readonly key: string;
  readonly upload: string;
  readonly there: ReadonlyMap<number, UploadedPart>;
  readonly partBytes: number;
}

/** Sends parts beside each other; the memory of each is given back when it has arrived. */
const sender = (ports: MirrorPorts, uploads: PartialUploads, { key, upload, there }: Sending) => {
  const parts: Promise<UploadedPart>[] = [];
  const handedOver = new Set<() => void>();
  const state = { failed: false, bytesSent: 0 };
  return {
    get failed() {
      return state.failed || ports.signal.aborted;
    },
    get bytesSent() {
      return state.bytesSent;
    },
    put(number: number, piece: Uint8Array, release: () => void): void {
      const known = there.get(number);
      if (known?.bytes === piece.byteLength) {
        parts.push(Promise.resolve(known));
        return;
      }
      handedOver.add(release);
      const part = uploads.put(key, upload, number, piece).finally(release);
      part.then(
        () => (state.bytesSent += piece.byteLength),
        () => (state.failed = true),
      );
      parts.push(part);
    },
    /** Of a piece that was not sent. */
    settle(release: () => void): void {
      if (!handedOver.delete(release)) release();
    },
    idle: async (): Promise<void> => {
      await Promise.allSettled(parts);
    },
    async all(): Promise<UploadedPart[]> {
      ports.signal.throwIfAborted();
      return await Promise.all(parts);
    },
  };
};

/** The upload of the same version that an earlier run began, with what is there of it, or a new one. */
const begunUpload = async (
  { mirror, target }: MirrorPorts,
  uploads: PartialUploads,
  { from, key, partBytes }: { readonly from: ObjectInfo; readonly key: string; readonly partBytes: number },
): Promise<{ readonly upload: string; readonly there: ReadonlyMap<number, UploadedPart> }> => {
  const before = await readUnderWay(target, recordKey(key));
  if (before !== null) {
    const fits =
      before.mirror === mirror && before.version === from.version && before.partBytes === partBytes;
    const there = fits ? await uploads.list(key, before.upload) : null;
    if (there !== null)
      return { upload: before.upload, there: new Map(there.map((part) => [part.number, part])) };
    await uploads.abandon(key, before.upload);
  }
  const upload = await uploads.begin(key, {
    bytes: from.bytes,
    metadata: { ...from.metadata, [SOURCE_MARK]: versionMark(mirror, from.version) },
    ...(from.sha256 === null ? {} : { sha256: from.sha256 }),
  });
  const record: UnderWay = { schemaVersion: 1, mirror, key, version: from.version, upload, partBytes };
  // Known before the first part is sent: a crash leaves nothing that nobody remembers.
  await target.write(recordKey(key), bodyOf(record));
  return { upload, there: new Map() };
};

export const readUnderWay = async (store: ObjectStore, key: string): Promise<UnderWay | null> => {
  let text = '';
  const decoder = new TextDecoder();
  try {
    for await (const piece of store.read(key)) text += decoder.decode(piece, { stream: true });
  } catch (error) {
    if (behaviourOf(error) === 'gone') return null;
    throw error;
  }
  try {
    return underWay.parse(JSON.parse(text));
  } catch {
    return null;
  }
};

/** After everything was copied, what is left of uploads of this mirror belongs to nothing any more. */
export const abandonLeftUploads = async ({
  mirror,
  target,
}: Pick<MirrorPorts, 'mirror' | 'target'>): Promise<number> => {
  let abandoned = 0;
  for await (const { key } of target.list(UPLOADS_PREFIX)) {
    const left = await readUnderWay(target, key);
    if (left?.mirror !== mirror) continue;
    await target.parts?.abandon(left.key, left.upload);
    await target.remove(key);
    abandoned += 1;
  }
  return abandoned;
};

const bodyOf = async function* (value: object): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(JSON.stringify(value));
};
