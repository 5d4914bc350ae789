/** What every object store promises, as tests: each provider runs them against its real server. */

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchoredLogContract } from './anchored-log.contract.ts';
import { seededRandom } from '../time/seeded-random.ts';
import type { HexDigest } from './hex-digest.ts';
import { compareKeys } from './keys.ts';
import type { ObjectStore, WriteOptions } from './object-store.ts';
import { behaviourOf } from './store-errors.ts';

export interface ContractLimits {
  /** The largest object of the suite; bytes. */
  readonly largestBytes?: number;
  /** Keys that this store cannot keep and must refuse; every other one it must keep. */
  readonly refuses?: RegExp;
  /** More keys than the store gives in one page. */
  readonly manyKeys?: number;
}

const MIB = 1024 * 1024;
const SIZES = [0, 1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1];

/** Bytes that no compression and no repetition hides errors in: each 64 KiB block is another one. */
export async function* content(bytes: number, seed = 'content'): AsyncGenerator<Uint8Array> {
  const random = seededRandom(seed);
  const block = Uint8Array.from({ length: 64 * 1024 }, () => random.next() * 256);
  for (let at = 0, number = 0; at < bytes; number += 1) {
    const piece = Uint8Array.from(block.subarray(0, Math.min(block.length, bytes - at)));
    new DataView(piece.buffer).setUint8(0, number & 0xff);
    if (piece.length > 4) new DataView(piece.buffer).setUint32(1, number);
    at += piece.length;
    yield piece;
  }
}

const text = async function* (words: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(words);
};

const digestOf = async (body: AsyncIterable<Uint8Array>): Promise<{ bytes: number; sha256: string }> => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const piece of body) {
    hash.update(piece);
    bytes += piece.byteLength;
  }
  return { bytes, sha256: hash.digest('hex') };
};

const wholeOf = async (body: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
};

const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => (await wholeOf(body)).toString();

const keysOf = async (store: ObjectStore, prefix: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
};

const behaviour = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'none';
  } catch (error) {
    const said = behaviourOf(error);
    if (said === 'fatal') throw error;
    return said;
  }
};

/** `open` gives an empty place of its own each time that it is called; `beside` another one of the same server. */
export const objectStoreContract = (
  name: string,
  open: () => Promise<{ readonly store: ObjectStore; readonly beside: ObjectStore }>,
  { largestBytes = 200 * MIB, manyKeys = 1_100, refuses = /^$/ }: ContractLimits = {},
): void => {
  describe(`${name} keeps the contract of object stores`, () => {
    let store: ObjectStore;
    let beside: ObjectStore;
    beforeAll(async () => {
      ({ store, beside } = await open());
    });
    afterAll(async () => {
      await store?.close();
      await beside?.close();
    });

    anchoredLogContract(() => store);
    const write = async (key: string, words: string, options?: WriteOptions) =>
      await store.write(key, text(words), options);

    it.each([...SIZES, largestBytes])('%d bytes come back as they went', async (bytes) => {
      const sent = await digestOf(content(bytes));
      const info = await store.write('sizes/object', content(bytes), { bytes });
      expect(info).toMatchObject({ key: 'sizes/object', bytes, sha256: sent.sha256 });
      expect(await digestOf(store.read('sizes/object'))).toEqual(sent);
      expect(await store.head('sizes/object')).toMatchObject({ bytes, version: info.version });
    });

    it('records the digest where it was announced, whatever the size', async () => {
      const bytes = 9 * MIB;
      const { sha256 } = await digestOf(content(bytes, 'announced'));
      await store.write('announced', content(bytes, 'announced'), { sha256: sha256 as HexDigest });
      expect((await store.head('announced'))?.sha256).toBe(sha256);
    });

    it('reads ranges, across its own pieces too', async () => {
      await store.write('ranged', content(300_000), {});
      const whole = await wholeOf(store.read('ranged'));
      for (const [first, end] of [
        [0, 1],
        [65_535, 65_537],
        [299_999, 300_000],
        [10, 250_000],
      ] as const) {
        const part = await wholeOf(store.read('ranged', { range: { first, end } }));
        expect(part.equals(whole.subarray(first, end)), `${first}-${end}`).toBe(true);
      }
      const tail = await wholeOf(store.read('ranged', { range: { first: 299_000 } }));
      expect(tail.equals(whole.subarray(299_000))).toBe(true);
    });

    it('reads of a range what there is of it', async () => {
      const { version } = await write('edges', 'abc');
      await write('edges.none', '');
      const read = async (key: string, first: number, end?: number): Promise<string> =>
        await textOf(store.read(key, { range: { first, ...(end === undefined ? {} : { end }) } }));
      expect(await read('edges', 0, 3)).toBe('abc');
      expect(await read('edges', 2, 3)).toBe('c');
      expect(await read('edges', 1, 100)).toBe('bc');
      expect(await read('edges', 0, 2 ** 40)).toBe('abc');
      for (const [first, end] of [[3], [3, 4], [100, 200], [1, 1], [0, 0], [3, 3]] as const)
        expect(await read('edges', first, end), `${first}-${end}`).toBe('');
      expect(await read('edges.none', 0)).toBe('');
      expect(await read('edges.none', 0, 1)).toBe('');
      expect(await behaviour(digestOf(store.read('edges.nothing', { range: { first: 0 } })))).toBe('gone');
      const one = { range: { first: 1, end: 2 } };
      expect(await textOf(store.read('edges', { ...one, version }))).toBe('b');
      await write('edges', 'xyz!');
      expect(await behaviour(digestOf(store.read('edges', { ...one, version })))).toBe('precondition');
    });

    it('lets a reader stop early, and goes on', async () => {
      await store.write('stopped', content(4 * MIB), {});
      for (let round = 0; round < 8; round += 1) {
        for await (const piece of store.read('stopped')) {
          expect(piece.byteLength).toBeGreaterThan(0);
          break;
        }
      }
      expect((await digestOf(store.read('stopped'))).bytes).toBe(4 * MIB);
    });

    it('knows nothing of what is not there', async () => {
      expect(await store.head('nothing')).toBeNull();
      expect(await behaviour(digestOf(store.read('nothing')))).toBe('gone');
      expect(await behaviour(store.remove('nothing'))).toBe('none');
      expect(await keysOf(store, 'nothing')).toEqual([]);
    });

    it('creates only what is absent, and one of many at once', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, async (_, at) =>
          behaviour(write('created', `writer ${at}`, { when: { kind: 'absent' } })),
        ),
      );
      expect(outcomes.toSorted()).toEqual(['none', ...Array<string>(5).fill('precondition')]);
      const winner = `writer ${outcomes.indexOf('none')}`;
      expect(await textOf(store.read('created'))).toBe(winner);
      expect(await behaviour(write('created', 'late', { when: { kind: 'absent' } }))).toBe('precondition');
      expect(await textOf(store.read('created'))).toBe(winner);
    });

    it('replaces only the version that was named, and one of many at once', async () => {
      const first = await write('replaced', 'first');
      const when = { kind: 'version', version: first.version } as const;
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, async (_, at) => behaviour(write('replaced', `second ${at}`, { when }))),
      );
      expect(outcomes.toSorted()).toEqual(['none', ...Array<string>(5).fill('precondition')]);
      expect(await behaviour(write('replaced', 'third', { when }))).toBe('precondition');
      expect(await textOf(store.read('replaced'))).toBe(`second ${outcomes.indexOf('none')}`);
      expect(await behaviour(write('never', 'x', { when }))).toMatch(/precondition|gone/);
      expect(await store.head('never')).toBeNull();
    });

    it('removes only the version that was named', async () => {
      const first = await write('removed', 'first');
      const second = await write('removed', 'second, longer');
      const stale = { kind: 'version', version: first.version } as const;
      expect(await behaviour(store.remove('removed', stale))).toBe('precondition');
      expect(await textOf(store.read('removed'))).toBe('second, longer');
      await store.remove('removed', { kind: 'version', version: second.version });
      expect(await store.head('removed')).toBeNull();
    });

    it('reads one version or none', async () => {
      const first = await write('versioned', 'one');
      const second = await write('versioned', 'two');
      expect(second.version).not.toBe(first.version);
      expect(await textOf(store.read('versioned', { version: second.version }))).toBe('two');
      expect(await behaviour(digestOf(store.read('versioned', { version: first.version })))).toBe(
        'precondition',
      );
    });

    it.each([
      ['a small body', 40],
      ['a body of several parts', 20 * MIB],
    ])('%s that is not what was announced changes nothing', async (_, bytes) => {
      await write('announced-wrongly', 'as before');
      const wrong = 'e'.repeat(64) as HexDigest;
      for (const options of [{ sha256: wrong }, { bytes: bytes - 1 }, { bytes: bytes + 1 }])
        expect(await behaviour(store.write('announced-wrongly', content(bytes), options))).toBe('damaged');
      expect(await textOf(store.read('announced-wrongly'))).toBe('as before');
    });

    it.each([
      ['at its beginning', 0],
      ['after several parts', 20 * MIB],
    ])('a body that breaks %s changes nothing', async (_, bytes) => {
      await write('broken', 'as before');
      const breaks = (async function* () {
        yield* content(bytes);
        throw new Error('the source broke');
      })();
      await expect(store.write('broken', breaks, {})).rejects.toThrow('the source broke');
      expect(await textOf(store.read('broken'))).toBe('as before');
      expect(await keysOf(store, 'broken')).toEqual(['broken']);
    });

    it('keeps what is given with an object', async () => {
      const metadata = { 'schema-hash': 'abc=+/', note: 'Straße – 東京 😀, "quoted"', empty: '' };
      await write('described', 'x', { metadata, contentType: 'application/json' });
      expect((await store.head('described'))?.metadata).toEqual(metadata);
      await write('described', 'y');
      expect((await store.head('described'))?.metadata).toEqual({});
    });

    const AWKWARD = [
      'a b',
      'a+b',
      'a&b=c',
      'a%20b',
      'a%b',
      'a?b#c',
      'p//b',
      'p/./b',
      'p/../b',
      'trailing/',
      '/leading',
      '..',
      'ümläut',
      'u\u0308',
      '東京/寺',
      '😀',
      '\u{ffff}x',
      '~tilde',
      "quote'",
      'quote"',
      'back\\slash',
      '<tag>',
      'star*',
      'pipe|',
      'colon:',
      'new\nline',
      'tab\t',
      '.hidden',
      '.xcrepl',
      'A',
      'a',
    ];

    it('keeps every awkward key apart', async () => {
      const all = AWKWARD.map((key) => `awkward/${key}`);
      const keys = all.filter((key) => !refuses.test(key));
      for (const key of all.filter((each) => refuses.test(each)))
        await expect(write(key, key)).rejects.toMatchObject({ code: 'XC-5404' });
      await Promise.all(keys.map(async (key) => await write(key, key)));
      for (const key of keys) expect(await textOf(store.read(key)), JSON.stringify(key)).toBe(key);
      expect(await keysOf(store, 'awkward/')).toEqual(keys.toSorted(compareKeys));
      for (const key of keys) await store.remove(key);
      expect(await keysOf(store, 'awkward/')).toEqual([]);
    });

    it('keeps a key beside those below it, or refuses it and changes nothing', async () => {
      await write('above/below', 'below');
      const kept = await write('above', 'above').then(
        () => 'above',
        (error: unknown) => {
          expect(error).toMatchObject({ code: 'XC-5404' });
          return null;
        },
      );
      expect(await store.head('above').then((info) => info?.key ?? null)).toBe(kept);
      expect(await textOf(store.read('above/below'))).toBe('below');
    });

    it('refuses what is no key', async () => {
      for (const key of ['', 'x'.repeat(1025), 'nul\0', '\ud800'])
        await expect(write(key, 'x')).rejects.toMatchObject({ code: 'XC-5404' });
    });

    it('lists by prefix, in order, over many pages', async () => {
      const keys = Array.from({ length: manyKeys }, (_, at) => `many/${String(at).padStart(6, '0')}`);
      const waiting = [...keys, 'many.before', 'many0after', 'man'];
      await Promise.all(
        Array.from({ length: 24 }, async () => {
          for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) await write(key, key);
        }),
      );
      expect(await keysOf(store, 'many/')).toEqual(keys);
      expect(await keysOf(store, 'many/0000')).toEqual(keys.slice(0, 100));
      expect((await keysOf(store, 'man')).length).toBe(keys.length + 3);
      for await (const { bytes, modifiedAtMs, version } of store.list('many/000000')) {
        expect({ bytes, version }).toEqual({
          bytes: 11,
          version: (await store.head('many/000000'))?.version,
        });
        expect(Math.abs(modifiedAtMs - Date.now())).toBeLessThan(3_600_000);
      }
      for await (const { key } of store.list('many/')) expect(key).toBe(keys.shift());
    });

    it('copies inside itself where it can', async () => {
      if (!store.copyFrom) return;
      const info = await store.write('original', content(6 * MIB), { metadata: { kind: 'copied' } });
      const copied = await beside.copyFrom?.({ store, info }, 'the copy +&é');
      expect(copied).toMatchObject({ key: 'the copy +&é', bytes: info.bytes });
      expect(await digestOf(beside.read('the copy +&é'))).toEqual({ bytes: info.bytes, sha256: info.sha256 });
      expect((await beside.head('the copy +&é'))?.metadata).toEqual({ kind: 'copied' });
      const absent = { when: { kind: 'absent' } } as const;
      expect(
        await behaviour(Promise.resolve(beside.copyFrom?.({ store, info }, 'the copy +&é', absent))),
      ).toBe('precondition');
      await write('original', 'another one now');
      expect(await behaviour(Promise.resolve(beside.copyFrom?.({ store, info }, 'too late')))).toBe(
        'precondition',
      );
      expect(await beside.head('too late')).toBeNull();
    });

    const parts = async (): Promise<NonNullable<ObjectStore['parts']>> => {
      if (!store.parts) throw new Error('this store has no uploads in parts');
      return store.parts;
    };

    it('joins parts that were sent in any order, and again', async () => {
      const uploads = await parts();
      const size = Math.max(uploads.smallestPartBytes, 1000);
      const all = await wholeOf(content(2 * size + 17, 'parts'));
      const upload = await uploads.begin('joined', { metadata: { made: 'of parts' } });
      expect(await uploads.list('joined', upload)).toEqual([]);
      await uploads.put('joined', upload, 3, all.subarray(2 * size));
      await uploads.put('joined', upload, 1, all.subarray(size, 2 * size));
      await uploads.put('joined', upload, 1, all.subarray(0, size));
      expect(await store.head('joined')).toBeNull();
      expect((await uploads.list('joined', upload))?.map(({ number }) => number)).toContain(3);
      await uploads.put('joined', upload, 2, all.subarray(size, 2 * size));
      const sent = await uploads.list('joined', upload);
      const newest = new Map(sent?.map((part) => [part.number, part]));
      expect([...newest.keys()]).toEqual([1, 2, 3]);
      const { sha256 } = await digestOf(content(2 * size + 17, 'parts'));
      const info = await uploads.finish('joined', upload, sent ?? [], { sha256: sha256 as HexDigest });
      expect(info.bytes).toBe(all.length);
      expect(await digestOf(store.read('joined'))).toEqual({ bytes: all.length, sha256 });
      expect((await store.head('joined'))?.metadata).toEqual({ made: 'of parts' });
      expect((await uploads.list('joined', upload)) ?? []).toEqual([]);
    });

    it('leaves nothing of an upload that is abandoned', async () => {
      const uploads = await parts();
      const upload = await uploads.begin('abandoned');
      await uploads.put('abandoned', upload, 1, new Uint8Array(uploads.smallestPartBytes));
      await uploads.abandon('abandoned', upload);
      await uploads.abandon('abandoned', upload);
      // Azure keeps blocks that nobody committed for a week, where nobody sees them.
      if (store.kind !== 'azure') expect(await uploads.list('abandoned', upload)).toBeNull();
      expect(await store.head('abandoned')).toBeNull();
      expect(await keysOf(store, 'abandoned')).toEqual([]);
    });

    it('joins parts only where nobody was faster', async () => {
      const uploads = await parts();
      const upload = await uploads.begin('raced');
      const part = await uploads.put('raced', upload, 1, new Uint8Array(10));
      await write('raced', 'faster');
      expect(await behaviour(uploads.finish('raced', upload, [part], { when: { kind: 'absent' } }))).toBe(
        'precondition',
      );
      expect(await textOf(store.read('raced'))).toBe('faster');
      await uploads.abandon('raced', upload);
    });
  });
};
