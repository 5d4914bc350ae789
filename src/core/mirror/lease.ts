/**
 * One sync at a time into one place: an object in the target store that names its holder and is renewed by conditional
 * writes. It ends by itself when its holder dies. Every write of a sync is bound to a version all the same, so that two
 * holders, which a stopped clock can make, do not undo each other's work.
 */

import * as z from 'zod/mini';
import { isXcError, XcError } from '../errors/xc-error.ts';
import type { ObjectInfo, ObjectStore, Precondition } from '../objects/object-store.ts';
import { behaviourOf } from '../objects/store-errors.ts';
import { isoTime, type Clock } from '../time/clock.ts';
import { OWN_PREFIX } from './entry.ts';

export const LEASE_KEY = `${OWN_PREFIX}mirrors/lease.json`;
/** Renewed three times within it. */
export const LEASE_MS = 60_000;

const holderSchema = z.strictObject({
  schemaVersion: z.literal(1),
  host: z.string(),
  pid: z.int(),
  /** Tells this process from a later one with its pid. */
  identity: z.string(),
  run: z.string(),
  since: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});

export type LeaseHolder = Omit<z.output<typeof holderSchema>, 'schemaVersion' | 'since' | 'expiresAt'>;

export interface LeasePorts {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Of a process on this host: true where it is gone for certain. */
  readonly isGone: (holder: LeaseHolder) => Promise<boolean>;
  /** How long another holder is waited for; milliseconds. */
  readonly patienceMs: number;
}

export interface Lease extends AsyncDisposable {
  /** Aborts when the lease could not be renewed in time, with XC-6130 as its reason. */
  readonly signal: AbortSignal;
}

const WAIT_MS = 1_000;

/** @throws XcError XC-7002 naming the holder */
export const takeLease = async (store: ObjectStore, own: LeaseHolder, ports: LeasePorts): Promise<Lease> => {
  const { clock } = ports;
  const since = isoTime(clock.nowMs());
  const giveUpAtMs = clock.nowMs() + ports.patienceMs;
  const write = async (when: Precondition): Promise<ObjectInfo> => {
    const expiresAt = isoTime(clock.nowMs() + LEASE_MS);
    return await store.write(LEASE_KEY, oneBody({ schemaVersion: 1, ...own, since, expiresAt }), { when });
  };
  for (;;) {
    const seen = await lookAt(store);
    const free = seen === null || (await isOver(seen, ports));
    if (free) {
      const mine = await write(
        seen === null ? { kind: 'absent' } : { kind: 'version', version: seen.version },
      ).catch(nullWhereTaken);
      if (mine !== null) return keep(store, mine.version, write, ports);
    } else if (clock.nowMs() >= giveUpAtMs) throw heldBy(store, seen.holder);
    await clock.sleep(WAIT_MS, ports.signal);
  }
};

interface Seen {
  readonly version: string;
  readonly holder: z.output<typeof holderSchema> | null;
}

const lookAt = async (store: ObjectStore): Promise<Seen | null> => {
  const info = await store.head(LEASE_KEY);
  if (info === null) return null;
  try {
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of store.read(LEASE_KEY, { version: info.version }))
      text += decoder.decode(piece, { stream: true });
    return { version: info.version, holder: holderSchema.parse(JSON.parse(text)) };
  } catch (error) {
    // Renewed or released between the two questions.
    if (behaviourOf(error) === 'gone' || behaviourOf(error) === 'precondition') return await lookAt(store);
    if (isXcError(error)) throw error;
    return { version: info.version, holder: null };
  }
};

const isOver = async ({ holder }: Seen, { clock, isGone }: LeasePorts): Promise<boolean> =>
  // One that nobody can read is held by nobody who could renew it.
  holder === null || Date.parse(holder.expiresAt) < clock.nowMs() || (await isGone(holder));

const heldBy = (store: ObjectStore, holder: Seen['holder']): XcError =>
  new XcError('XC-7002', {
    subject: `${store.place}${LEASE_KEY}`,
    why: `held by ${holder?.host}, pid ${holder?.pid}, run ${holder?.run}, since ${holder?.since}; its lease ends ${holder?.expiresAt} unless renewed`,
    next: 'wait for that sync (--lock-timeout), or stop it',
    facts: { ...holder },
  });

const nullWhereTaken = (error: unknown): null => {
  if (behaviourOf(error) === 'precondition') return null;
  throw error;
};

const keep = (
  store: ObjectStore,
  first: string,
  write: (when: Precondition) => Promise<ObjectInfo>,
  { clock }: LeasePorts,
): Lease => {
  const lost = new AbortController();
  const over = new AbortController();
  let version = first;
  let validUntilMs = clock.nowMs() + LEASE_MS;
  const renew = async (): Promise<void> => {
    while (!over.signal.aborted && !lost.signal.aborted) {
      await clock.sleep(LEASE_MS / 3, over.signal).catch(() => undefined);
      if (over.signal.aborted) return;
      const atMs = clock.nowMs();
      try {
        ({ version } = await write({ kind: 'version', version }));
        validUntilMs = atMs + LEASE_MS;
      } catch (error) {
        const taken = behaviourOf(error) === 'precondition' || behaviourOf(error) === 'gone';
        if (!taken && clock.nowMs() < validUntilMs) continue;
        lost.abort(new XcError('XC-6130', { subject: store.place, cause: error }));
      }
    }
  };
  const renewing = renew();
  return {
    signal: lost.signal,
    async [Symbol.asyncDispose]() {
      over.abort();
      await renewing;
      if (!lost.signal.aborted)
        await store.remove(LEASE_KEY, { kind: 'version', version }).catch(() => undefined);
    },
  };
};

const oneBody = async function* (value: object): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(`${JSON.stringify(value)}\n`);
};
