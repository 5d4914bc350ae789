/**
 * What every store that is asked over a network promises when the way there, or what stands at its end, fails: each
 * provider runs this against its real server, behind a line that can be cut and a proxy that answers in its place.
 */

import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isXcError } from '../../src/core/errors/xc-error.ts';
import { content } from '../../src/core/objects/object-store.contract.ts';
import type { ObjectInfo, ObjectStore } from '../../src/core/objects/object-store.ts';
import { storePatience } from '../../src/core/objects/patience.ts';
import { resumedRead } from '../../src/core/objects/resumed-read.ts';
import { behaviourOf } from '../../src/core/objects/store-errors.ts';
import type { Clock } from '../../src/core/time/clock.ts';
import { systemClock } from '../../src/providers/system/clock.ts';
import { startTcpProxy, type TcpProxy } from '../harness/tcp-proxy.ts';
import { type HttpFaults, startHttpFaults } from '../servers/http-faults.ts';

export interface StoreThrough {
  readonly port: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  readonly wrongKey?: boolean;
}

export interface FaultyServer {
  /** Of the real server. */
  readonly port: number;
  /** The same empty place each time, asked through another port. */
  readonly open: (through: StoreThrough) => Promise<ObjectStore>;
  /** What uploads that were begun and not ended have left there. */
  readonly leftovers: (() => Promise<readonly string[]>) | null;
  /** The server itself refuses a request whose signature is wrong, or whose time is. */
  readonly checksSignatures: boolean;
  readonly checksTime: boolean;
  /** It has a word of its own for a body that is not the one whose digest came with it. */
  readonly namesDamage: boolean;
}

const MIB = 1024 * 1024;
/** What stores gather, send and wait with, and what sockets on the way take: ours, the proxy's and the server's. */
const MOST_ON_THE_WAY_BYTES = 80 * MIB;

/** Waits that a test does not wait for, written down. */
const hurried = (skewMs = 0): Clock & { readonly waits: number[] } => {
  const waits: number[] = [];
  return {
    waits,
    nowMs: () => Date.now() + skewMs,
    sleep: async (ms, signal) => {
      waits.push(ms);
      await sleep(1, undefined, { signal });
    },
  };
};

const digestOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  const hash = createHash('sha256');
  for await (const piece of body) hash.update(piece);
  return hash.digest('hex');
};

const keysOf = async (list: AsyncIterable<ObjectInfo>): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of list) keys.push(key);
  return keys;
};

const outcome = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => 'done',
    (error: unknown) => {
      if (!isXcError(error)) throw error;
      return behaviourOf(error);
    },
  );

/** The error itself, for its code. */
const failure = async (work: Promise<unknown>): Promise<unknown> =>
  await work.then(
    () => null,
    (error: unknown) => error,
  );

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(20);
};

export const storeFaultsContract = (name: string, start: () => Promise<FaultyServer>): void => {
  describe(`${name} on a way that fails`, () => {
    let server: FaultyServer;
    let line: TcpProxy;
    let faults: HttpFaults;
    let plain: ObjectStore;
    let cut: ObjectStore;
    let faulty: ObjectStore;
    const clock = hurried();
    beforeAll(async () => {
      server = await start();
      line = await startTcpProxy(server);
      faults = await startHttpFaults(server);
      plain = await server.open({ port: server.port, clock });
      cut = await server.open({ port: line.port, clock });
      faulty = await server.open({ port: faults.port, clock });
    });
    afterAll(async () => {
      for (const store of [plain, cut, faulty]) await store?.close();
      await line?.close();
      await faults?.[Symbol.asyncDispose]();
    });
    beforeEach(() => {
      clock.waits.length = 0;
      faults.instead.length = 0;
      faults.damageFromBytes = null;
      line.resume();
      line.refuse(false);
    });
    const nothingLeft = async (): Promise<void> => {
      expect((await server.leftovers?.()) ?? []).toEqual([]);
    };

    it('goes on with a read that is cut off, without a byte twice', async () => {
      const bytes = 24 * MIB;
      const info = await plain.write('cut/read', content(bytes), { bytes });
      let seen = 0;
      let cuts = 0;
      const watched = (async function* () {
        for await (const piece of resumedRead(cut, info, storePatience(clock))) {
          seen += piece.byteLength;
          yield piece;
          if (cuts < 3 && seen > (cuts * bytes) / 4) {
            cuts += 1;
            line.cut();
          }
        }
      })();
      expect(await digestOf(watched)).toBe(info.sha256);
      expect(seen).toBe(bytes);
    });

    it('says of a read alone that asking again may help', async () => {
      const bytes = 24 * MIB;
      await plain.write('cut/alone', content(bytes), { bytes });
      const reading = (async () => {
        for await (const _piece of cut.read('cut/alone')) line.cut();
      })();
      expect(await outcome(reading)).toBe('retry');
    });

    it('sends a small body again whose connection was cut', async () => {
      line.pause('to-server');
      const writing = cut.write('cut/small', content(MIB));
      await until(() => line.connections > 0);
      line.resume();
      line.cut();
      const { sha256 } = await writing;
      expect(await digestOf(plain.read('cut/small'))).toBe(sha256);
    });

    it('knows its own conditional write again when the answer to it was lost', async () => {
      const first = await plain.write('cut/replaced', content(10, 'first'));
      const version = { kind: 'version', version: first.version } as const;
      for (const [key, when] of [
        ['cut/created', { kind: 'absent' }],
        ['cut/replaced', version],
      ] as const) {
        line.pause('to-client');
        const writing = cut.write(key, content(100, key), { when });
        await until(async () => (await plain.head(key))?.bytes === 100);
        line.cut();
        line.resume();
        expect((await writing).bytes).toBe(100);
        expect(await outcome(cut.write(key, content(100, 'another'), { when }))).toBe('precondition');
      }
    });

    it('goes on with a long body whose connections are cut', async () => {
      const bytes = 40 * MIB;
      let at = 0;
      let cuts = 0;
      const body = (async function* () {
        for await (const piece of content(bytes, 'long')) {
          yield piece;
          at += piece.byteLength;
          if (at < (cuts + 1) * 17 * MIB) continue;
          cuts += 1;
          line.cut();
        }
      })();
      const { sha256 } = await cut.write('cut/long', body, { bytes });
      expect(cuts).toBe(2);
      expect(await digestOf(plain.read('cut/long'))).toBe(sha256);
      await nothingLeft();
    });

    it('gives up on a way that stays closed, and leaves nothing', async () => {
      line.refuse(true);
      line.cut();
      for (const bytes of [10, 20 * MIB]) {
        const failed = await failure(cut.write('cut/closed', content(bytes)));
        expect(failed).toMatchObject({ code: 'XC-6101' });
      }
      expect(await outcome(digestOf(cut.read('cut/closed')))).toBe('retry');
      line.refuse(false);
      expect(await cut.head('cut/closed')).toBeNull();
      await nothingLeft();
    });

    it('waits as long as the store asks for, in seconds and until a time', async () => {
      const info = await plain.write('throttled/read', content(1000));
      const requests: readonly [string, () => Promise<unknown>][] = [
        ['head', async () => await faulty.head('throttled/read')],
        ['read', async () => await digestOf(faulty.read('throttled/read'))],
        ['list', async () => await keysOf(faulty.list('throttled/'))],
        ['small', async () => await faulty.write('throttled/small', content(1000))],
        ['long', async () => await faulty.write('throttled/long', content(20 * MIB))],
        ['remove', async () => await faulty.remove('throttled/small')],
        ['copy', async () => await faulty.copyFrom?.({ store: faulty, info }, 'throttled/copy')],
      ];
      for (const [what, ask] of requests) {
        clock.waits.length = 0;
        const at = new Date(Date.now() + 90_000).toUTCString();
        faults.instead.push(
          { status: 503, headers: { 'retry-after': '7' } },
          { status: 429, headers: { 'retry-after': at } },
        );
        await ask();
        expect(faults.instead, what).toEqual([]);
        // Parts of a long body are sent side by side, and either may be told first.
        const [first, dated = 0] = clock.waits.toSorted((a, b) => a - b);
        expect(first, what).toBe(7000);
        expect(dated, what).toBeGreaterThan(10_000);
        expect(dated, what).toBeLessThanOrEqual(90_000);
      }
      expect(await digestOf(plain.read('throttled/long'))).toBe(await digestOf(content(20 * MIB)));
    });

    it('ends asking a store that goes on refusing', async () => {
      const before = faults.requests;
      faults.instead.push(...Array.from({ length: 30 }, () => ({ status: 503 })));
      expect(await failure(faulty.head('throttled/ever'))).toMatchObject({ code: 'XC-6101' });
      expect(faults.requests - before).toBe(6);
      faults.instead.length = 0;
    });

    it('lets nothing be stored of a body that was changed on its way', async () => {
      faults.damageFromBytes = 64 * 1024;
      for (const bytes of [MIB, 20 * MIB])
        expect(await outcome(faulty.write('damaged', content(bytes)))).toBe(
          server.namesDamage ? 'damaged' : 'fatal',
        );
      faults.damageFromBytes = null;
      expect(await plain.head('damaged')).toBeNull();
      await nothingLeft();
    });

    it('says that it is about the credentials', async () => {
      const wrong = await server.open({ port: faults.port, clock, wrongKey: true });
      const asking: readonly (() => Promise<unknown>)[] = [
        async () => await wrong.head('any'),
        async () => await digestOf(wrong.read('any')),
        async () => await keysOf(wrong.list('')),
        async () => await wrong.write('any', content(10)),
        async () => await wrong.write('any', content(9 * MIB)),
        async () => await wrong.remove('any'),
      ];
      for (const ask of asking) {
        if (!server.checksSignatures) faults.instead.push({ status: 401 });
        const before = faults.requests;
        const refused = await failure(ask());
        expect(refused).toMatchObject({ code: 'XC-4101' });
        expect(behaviourOf(refused)).toBe('auth');
        // Asked once: but a server that refuses a long body unread may cut it off, which looks like a broken line.
        if (ask !== asking[4]) expect(faults.requests - before).toBeLessThanOrEqual(2);
      }
      await wrong.close();
      expect(await plain.head('any')).toBeNull();
    });

    it('says that it is about the clock', async () => {
      const hour = 3_600_000;
      const late = await server.open({ port: faults.port, clock: hurried(-hour) });
      for (const ask of [
        async () => await late.head('any'),
        async () => await late.write('any', content(10)),
        async () => await late.remove('any'),
      ]) {
        if (!server.checksTime)
          faults.instead.push({ status: 403, headers: { date: new Date().toUTCString() } });
        expect(await failure(ask())).toMatchObject({ code: 'XC-4102' });
      }
      await late.close();
    });

    it('ends with the signal, in a wait and in the middle of a long body, and leaves nothing', async () => {
      const stop = new AbortController();
      const store = await server.open({ port: faults.port, clock: systemClock, signal: stop.signal });
      faults.instead.push({ status: 503, headers: { 'retry-after': '250' } });
      const waiting = failure(store.head('ended'));
      await until(() => faults.instead.length === 0);
      const body = (async function* () {
        yield* content(20 * MIB);
        stop.abort(new Error('interrupted'));
        yield* content(20 * MIB);
      })();
      await expect(store.write('ended', body)).rejects.toThrow('interrupted');
      expect(await waiting).toMatchObject({ message: 'interrupted' });
      await store.close();
      expect(await plain.head('ended')).toBeNull();
      await nothingLeft();
    });

    it('leaves nothing of a long body that breaks, or is another one', async () => {
      const breaks = (async function* () {
        yield* content(20 * MIB);
        throw new Error('the source broke');
      })();
      await expect(plain.write('left', breaks)).rejects.toThrow('the source broke');
      expect(await outcome(plain.write('left', content(20 * MIB), { bytes: 21 * MIB }))).toBe('damaged');
      expect(await plain.head('left')).toBeNull();
      await nothingLeft();
    });

    it('takes no more of a body than the store takes of it', async () => {
      line.pause('to-server');
      const bytes = 128 * MIB;
      let taken = 0;
      const body = (async function* () {
        for await (const piece of content(bytes, 'bounded')) {
          taken += piece.byteLength;
          yield piece;
        }
      })();
      const writing = cut.write('bounded', body, { bytes });
      let before = -1;
      await until(async () => {
        if (taken > 0 && taken === before) return true;
        before = taken;
        await sleep(400);
        return false;
      });
      expect(taken).toBeLessThan(MOST_ON_THE_WAY_BYTES);
      line.resume();
      const { sha256 } = await writing;
      const from = line.bytesToClients;
      const hash = createHash('sha256');
      let held = false;
      for await (const piece of cut.read('bounded')) {
        hash.update(piece);
        if (held) continue;
        held = true;
        await sleep(1500);
        expect(line.bytesToClients - from).toBeLessThan(MOST_ON_THE_WAY_BYTES);
      }
      expect(hash.digest('hex')).toBe(sha256);
    });
  });
};
