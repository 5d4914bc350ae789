/** Two stores in memory and everything that a mirror between them needs, for tests. */

import { MemoryStore } from '../../providers/memory/memory-store.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { Verified } from '../signing/signing.ts';
import type { Clock } from '../time/clock.ts';
import { ByteRoom } from './byte-room.ts';
import type { Entry, ManifestEntry } from './entry.ts';
import { keyFilter } from './filter.ts';
import { lastManifest, writeManifest } from './last-manifest.ts';
import { compare } from './make-plan.ts';
import type { MirrorPorts } from './ports.ts';
import { runSession, type SessionOutcome, type Spool } from './session.ts';
import { Tallying } from './tally.ts';
import { Counting, guardDeletions, HALF, type DeleteLimit } from './totals.ts';

/** A clock of its own, that only sleeping moves. */
export class TestClock implements Clock {
  #nowMs = Date.parse('2026-01-31T12:00:00Z');

  nowMs(): number {
    return this.#nowMs;
  }

  pass(ms: number): void {
    this.#nowMs += ms;
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#nowMs += ms;
    await Promise.resolve();
  }
}

export async function* text(words: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(words);
}

export const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
};

/** Every object of a store that is no own one, by key. */
export const contentsOf = async (store: ObjectStore): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for await (const { key } of store.list(''))
    if (!key.startsWith('xcrepl/')) found[key] = await textOf(store.read(key));
  return found;
};

export const ownKeys = async (store: ObjectStore): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list('xcrepl/')) keys.push(key);
  return keys;
};

/** A store in which single powers are replaced. The original stays the one that is called back. */
export const changed = (store: ObjectStore, powers: Partial<ObjectStore>): ObjectStore =>
  new Proxy(store, {
    get: (target, name) => {
      if (name in powers) return powers[name as keyof ObjectStore];
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });

/** Without copying inside the store, so that bytes pass through. */
export const plain = (store: ObjectStore): ObjectStore => changed(store, { copyFrom: undefined } as never);

const signed = (payload: Uint8Array): string =>
  JSON.stringify({ payload: Buffer.from(payload).toString('base64') });
const verified = async (bundle: string): Promise<Verified> => ({
  keyId: 'test',
  payloadType: null,
  payload: Buffer.from((JSON.parse(bundle) as { payload: string }).payload, 'base64'),
});

export interface Mirror {
  readonly clock: TestClock;
  readonly source: MemoryStore;
  readonly target: MemoryStore;
  plan(options?: RunOptions): Promise<Entry[]>;
  sync(options?: RunOptions): Promise<SessionOutcome & { readonly entries: Entry[] }>;
  known(): Promise<ManifestEntry[]>;
}

export interface RunOptions extends Partial<MirrorPorts> {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly limit?: DeleteLimit;
  /** Whether the target may copy by itself; else every byte passes through. */
  readonly serverCopy?: boolean;
  /** Between planning and running. */
  readonly between?: () => Promise<void>;
}

const filterOf = ({ include = [], exclude = [] }: RunOptions) => keyFilter({ include, exclude });
const last = async (ports: MirrorPorts) => await lastManifest(ports.target, ports.mirror, verified, ports);

export const testMirror = (): Mirror => {
  const clock = new TestClock();
  const source = new MemoryStore(clock, 'memory:source');
  const target = new MemoryStore(clock, 'memory:target');
  let runs = 0;
  const portsOf = (options: RunOptions): MirrorPorts => ({
    mirror: 'm1',
    source,
    sourcePrefix: '',
    targetPrefix: '',
    clock,
    signal: new AbortController().signal,
    pace: () => null,
    room: new ByteRoom(64 * 2 ** 20),
    immutable: false,
    parts: { fromBytes: 2 ** 20, leastBytes: 2 ** 19 },
    transfers: 4,
    ...options,
    target: options.serverCopy === true ? target : plain(options.target ?? target),
  });
  const plan = async (options: RunOptions = {}): Promise<Entry[]> => {
    const ports = portsOf(options);
    const known = (await last(ports))?.entries() ?? nothing();
    const entries: Entry[] = [];
    for await (const entry of compare({ ...ports, filter: filterOf(options), checkers: 3, known }))
      entries.push(entry);
    return entries;
  };
  return {
    clock,
    source,
    target,
    plan,
    async known() {
      const entries: ManifestEntry[] = [];
      for await (const entry of (await last(portsOf({})))?.entries() ?? nothing()) entries.push(entry);
      return entries;
    },
    async sync(options = {}) {
      const ports = portsOf(options);
      const entries = await plan(options);
      const totals = new Counting();
      const tally = new Tallying('here', 'there');
      for (const entry of entries) {
        totals.add(entry);
        tally.planned(entry, clock.nowMs());
      }
      guardDeletions('m1', totals, options.limit ?? HALF);
      await options.between?.();
      const outcome = await runSession({
        ports,
        filter: filterOf(options),
        entries: async function* () {
          yield* entries;
        },
        deletions: totals.objects.delete,
        spool: memorySpool(),
        tally,
        plannedAtMs: clock.nowMs(),
        done: () => undefined,
      });
      if (outcome.changed)
        await writeManifest(
          ports.target,
          {
            mirror: 'm1',
            tenant: null,
            run: `rn_${(runs += 1)}`,
            at: '2026-01-31T12:00:00Z',
            source: { region: 'here', prefix: '' },
            target: { region: 'there', prefix: '' },
            complete: outcome.failed === 0,
          },
          outcome.proven(),
          async (statement) => signed(statement),
        );
      return { ...outcome, entries };
    },
  };
};

// eslint-disable-next-line require-yield -- an empty listing
async function* nothing(): AsyncGenerator<ManifestEntry> {
  await Promise.resolve();
}

export const memorySpool = (): Spool => {
  const pieces: Uint8Array[] = [];
  return {
    append: async (bytes) => void pieces.push(bytes),
    async *read() {
      yield* pieces;
    },
  };
};
