/** Carries out one entry of a plan, whatever happens to the others. */

import { isXcError, XcError } from '../errors/xc-error.ts';
import type { ObjectInfo, Precondition } from '../objects/object-store.ts';
import { behaviourOf, objectGone, preconditionFailed, retryAfterMs } from '../objects/store-errors.ts';
import { copyObject, type Way } from './copy-object.ts';
import type { Entry, ManifestEntry, Side } from './entry.ts';
import { inOrder } from './in-order.ts';
import type { MirrorPorts } from './ports.ts';
import { digestOf, type Proof } from './prove.ts';

export interface Result {
  readonly entry: Entry;
  readonly outcome: 'kept' | 'copied' | 'replaced' | 'failed';
  readonly way: Way | null;
  readonly proof: Proof | null;
  /** Bytes that passed through here. */
  readonly bytesSent: number;
  /** What the target holds now, proven; null where that is not known. */
  readonly holds: ManifestEntry | null;
  readonly error: XcError | null;
}

/** Results that wait for an earlier object, in memory. */
const AHEAD = 4_096;
/** Times that one object is begun, where what stopped it passes by itself. */
const ATTEMPTS = 4;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;

/**
 * Everything but deletions, in the plan's order. A failure is a result; what is thrown stops everything: an abort, a full
 * disk of the target, a bug.
 */
export const carryOut = (entries: AsyncIterable<Entry>, ports: MirrorPorts): AsyncGenerator<Result> =>
  inOrder(withoutDeletions(entries), { atOnce: ports.transfers, ahead: AHEAD }, async (entry) => {
    ports.signal.throwIfAborted();
    try {
      return await patiently(ports, async () => await carryOutOne(entry, ports));
    } catch (error) {
      ports.signal.throwIfAborted();
      if (!isXcError(error) || isXcError(error, 'XC-6103', 'XC-6130')) throw error;
      return { ...NOTHING, entry, outcome: 'failed', error };
    }
  });

const NOTHING = { way: null, proof: null, bytesSent: 0, holds: null, error: null } as const;

async function* withoutDeletions(entries: AsyncIterable<Entry>): AsyncGenerator<Entry> {
  for await (const entry of entries) if (entry.action !== 'delete') yield entry;
}

export const patiently = async <T>(
  { clock, signal }: Pick<MirrorPorts, 'clock' | 'signal'>,
  work: () => Promise<T>,
): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (behaviourOf(error) !== 'retry' || attempt >= ATTEMPTS) throw error;
      const waitMs = retryAfterMs(error) ?? FIRST_WAIT_MS * 2 ** (attempt - 1);
      await clock.sleep(Math.min(waitMs, LONGEST_WAIT_MS), signal);
    }
  }
};

const carryOutOne = async (entry: Entry, ports: MirrorPorts): Promise<Result> => {
  switch (entry.action) {
    case 'same':
    case 'unknown':
      return (await kept(entry, ports)) ?? (await copied(entry, ports));
    case 'copy':
    case 'replace':
    case 'delete':
      return await copied(entry, ports);
  }
};

/** Null where the target turns out to hold something else. */
const kept = async (entry: Entry, ports: MirrorPorts): Promise<Result | null> => {
  const source = sideAt(entry.source, ports.source.place, entry.key);
  const target = sideAt(entry.target, ports.target.place, entry.key);
  const known = entry.proven && entry.action === 'same' ? target.sha256 : null;
  const held = known ?? (await digestOf(ports.target, at(ports.targetPrefix, entry.key, target), ports));
  const wanted =
    source.sha256 ??
    (await digestOf(ports.source, at(ports.sourcePrefix, entry.key, source), ports, ports.pace));
  if (held !== wanted) return null;
  return {
    ...NOTHING,
    entry,
    outcome: 'kept',
    proof: known === null ? 'read-back' : 'recorded',
    holds: {
      key: entry.key,
      bytes: target.bytes,
      sha256: held,
      source: source.version,
      target: target.version,
    },
  };
};

const copied = async (entry: Entry, ports: MirrorPorts): Promise<Result> => {
  const { key } = entry;
  if (ports.immutable && entry.target !== null)
    throw new XcError('XC-2082', { subject: `${ports.target.place} ${ports.targetPrefix}${key}` });
  const from = await described(entry, ports);
  const when: Precondition =
    entry.target === null ? { kind: 'absent' } : { kind: 'version', version: entry.target.version };
  const { way, proof, info, sha256, bytesSent } = await copyObject(
    ports,
    from,
    `${ports.targetPrefix}${key}`,
    when,
  );
  return {
    entry,
    outcome: entry.target === null ? 'copied' : 'replaced',
    way,
    proof,
    bytesSent,
    holds: { key, bytes: info.bytes, sha256, source: from.version, target: info.version },
    error: null,
  };
};

/** The planned version of the source's object with its metadata. XC-5402 where it is another one by now. */
const described = async ({ key, source }: Entry, ports: MirrorPorts): Promise<ObjectInfo> => {
  const planned = sideAt(source, ports.source.place, key);
  const info = await ports.source.head(`${ports.sourcePrefix}${key}`);
  if (info === null) throw objectGone(ports.source.place, `${ports.sourcePrefix}${key}`);
  if (info.version !== planned.version)
    throw preconditionFailed(ports.source.place, info.key, 'it was changed after it was planned');
  return info;
};

const at = (
  prefix: string,
  key: string,
  { bytes, version }: Side,
): Pick<ObjectInfo, 'key' | 'bytes' | 'version'> => ({ key: `${prefix}${key}`, bytes, version });

/** A plan that was read from a file may say anything. */
const sideAt = (side: Side | null, place: string, key: string): Side => {
  if (side === null) throw new XcError('XC-1303', { subject: `${place} ${key}`, why: 'a side is missing' });
  return side;
};
