import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { content } from '../objects/object-store.contract.ts';
import type { HexDigest } from '../objects/hex-digest.ts';
import { objectGone, preconditionFailed, unreachable } from '../objects/store-errors.ts';
import { changed, contentsOf, ownKeys, testMirror, text, textOf } from './mirror.fixture.ts';
import { UPLOADS_PREFIX } from './copy-parts.ts';

const KEY = fc.stringMatching(/^[ab/é😀]{1,4}$/u);
const WORLD = fc.dictionary(KEY, fc.constantFrom('one', 'two', 'six', 'three', ''), { maxKeys: 12 });

describe('a sync', () => {
  test('makes any target equal to any source, and then has nothing to do', async () => {
    await fc.assert(
      fc.asyncProperty(WORLD, WORLD, fc.boolean(), async (wanted, before, serverCopy) => {
        const mirror = testMirror();
        wanted['kept'] = 'one';
        for (const [key, words] of Object.entries(wanted)) await mirror.source.write(key, text(words));
        for (const [key, words] of Object.entries(before)) await mirror.target.write(key, text(words));
        const options = {
          limit: { kind: 'part', percent: 100 } as const,
          serverCopy,
        };
        const first = await mirror.sync(options);
        expect(first.failures).toEqual([]);
        expect(await contentsOf(mirror.target)).toEqual(wanted);
        expect((await mirror.known()).map(({ key }) => key).toSorted()).toEqual(
          Object.keys(wanted).toSorted(),
        );
        const second = await mirror.sync(options);
        expect(second).toMatchObject({ changed: false, bytesSent: 0, recorded: Object.keys(wanted).length });
        expect(second.entries.every(({ action, proven }) => action === 'same' && proven)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('keeps metadata, and compares by digest and not by time or version', async () => {
    const mirror = testMirror();
    await mirror.source.write('described', text('x'), { metadata: { colour: 'grün' } });
    await mirror.sync();
    expect((await mirror.target.head('described'))?.metadata).toMatchObject({ colour: 'grün' });
    await mirror.source.write('described', text('x'), { metadata: { colour: 'grün' } });
    const again = await mirror.sync();
    expect(again).toMatchObject({ copied: 0, replaced: 0, kept: 1 });
  });

  test('replaces what has the same size and another content', async () => {
    const mirror = testMirror();
    await mirror.source.write('k', text('abc'));
    await mirror.sync();
    await mirror.target.write('k', text('abX'));
    expect(await mirror.sync()).toMatchObject({ replaced: 1, failed: 0 });
    expect(await textOf(mirror.target.read('k'))).toBe('abc');
  });

  test('finds bytes that are not those that the target’s metadata claim, and repairs them', async () => {
    const mirror = testMirror();
    await mirror.source.write('k', text('abc'));
    const info = await mirror.source.head('k');
    await mirror.target.write('k', text('abX'));
    // Metadata that lie: what a copy with a flipped bit looks like.
    const lying = changed(mirror.target, {
      list: (prefix) =>
        (async function* () {
          for await (const one of mirror.target.list(prefix)) yield { ...one, sha256: info?.sha256 ?? null };
        })(),
    });
    const outcome = await mirror.sync({ target: lying });
    expect(outcome.entries).toMatchObject([{ action: 'same', proven: false }]);
    expect(outcome).toMatchObject({ replaced: 1, failed: 0 });
    expect(await textOf(mirror.target.read('k'))).toBe('abc');
  });

  test('of objects without any digest on either side reads both before it believes them', async () => {
    const mirror = testMirror();
    for (const [key, there] of [
      ['equal', 'abc'],
      ['other', 'abX'],
    ] as const) {
      await mirror.source.write(key, text('abc'));
      await mirror.target.write(key, text(there));
    }
    const silent = (store: typeof mirror.source) =>
      changed(store, {
        list: (prefix) =>
          (async function* () {
            for await (const one of store.list(prefix)) yield { ...one, sha256: null };
          })(),
        head: async (key) => {
          const info = await store.head(key);
          return info && { ...info, sha256: null, metadata: {} };
        },
      });
    const options = { source: silent(mirror.source), target: silent(mirror.target) };
    const outcome = await mirror.sync(options);
    expect(outcome.entries.map(({ action }) => action)).toEqual(['unknown', 'unknown']);
    expect(outcome).toMatchObject({ kept: 1, replaced: 1, failed: 0 });
    expect(await contentsOf(mirror.target)).toEqual({ equal: 'abc', other: 'abc' });
    // From now on the manifest knows both.
    expect((await mirror.plan(options)).map(({ action }) => action)).toEqual(['same', 'same']);
  });

  test('one failed read stops nothing else, is named, and no object is deleted', async () => {
    const mirror = testMirror();
    for (const key of ['a', 'b', 'c']) await mirror.source.write(key, text(key));
    await mirror.target.write('extra', text('extra'));
    await mirror.target.write('a', text('a'));
    const source = changed(mirror.source, {
      read: (key, options) => {
        if (key === 'b') throw unreachable('memory:source', 'b', new Error('disk'));
        return mirror.source.read(key, options);
      },
    });
    const outcome = await mirror.sync({ source });
    expect(outcome).toMatchObject({ copied: 1, kept: 1, failed: 1, deleted: 0, deletionsSkipped: 1 });
    expect(outcome.failures).toMatchObject([{ key: 'b', error: { code: 'XC-6101' } }]);
    expect(await contentsOf(mirror.target)).toEqual({ a: 'a', c: 'c', extra: 'extra' });
    const healed = await mirror.sync();
    expect(healed).toMatchObject({ copied: 1, failed: 0, deleted: 1 });
    expect(await contentsOf(mirror.target)).toEqual({ a: 'a', b: 'b', c: 'c' });
  });

  test('a target that stores something else than was sent is found', async () => {
    const mirror = testMirror();
    await mirror.source.write('k', text('abc'));
    const target = changed(mirror.target, {
      write: async (key, body, options) =>
        key === 'k'
          ? await mirror.target
              .write(key, text('abX'), { metadata: options?.metadata ?? {} })
              .then(async (info) => {
                await textOf(body);
                return info;
              })
          : await mirror.target.write(key, body, options),
    });
    const outcome = await mirror.sync({ target });
    expect(outcome.failures).toMatchObject([{ key: 'k', error: { code: 'XC-5403' } }]);
    expect(await mirror.known()).toEqual([]);
  });

  test('an object that changes after it was planned, or while it is copied, is named and not mixed', async () => {
    const mirror = testMirror();
    for (const key of ['during', 'later', 'planned']) await mirror.source.write(key, text(`${key} old`));
    let rewritten = false;
    const source = changed(mirror.source, {
      read: (key, options) =>
        (async function* () {
          yield* mirror.source.read(key, options);
          if (key === 'during' && !rewritten) {
            rewritten = true;
            await mirror.source.write('during', text('during new'));
            throw preconditionFailed('memory:source', key, 'it was changed while it was read');
          }
          if (key === 'later') await mirror.source.write('later', text('later new'));
        })(),
    });
    const outcome = await mirror.sync({
      source,
      between: async () => void (await mirror.source.write('planned', text('planned new'))),
    });
    expect(outcome.failures.map(({ key, error }) => [key, error.code])).toEqual([
      ['during', 'XC-5402'],
      ['planned', 'XC-5402'],
    ]);
    expect(outcome.meanwhile).toEqual([{ key: 'later', change: 'changed-at-source' }]);
    expect(await contentsOf(mirror.target)).toEqual({ later: 'later old' });
    await mirror.sync();
    expect(await contentsOf(mirror.target)).toEqual(await contentsOf(mirror.source));
  });

  test('what another writer does to the target is neither overwritten nor taken for proven', async () => {
    const mirror = testMirror();
    for (const key of ['a', 'b']) await mirror.source.write(key, text(key));
    for (const key of ['b', 'extra']) await mirror.target.write(key, text(key));
    const outcome = await mirror.sync({
      between: async () => void (await mirror.target.write('a', text('theirs'))),
    });
    expect(outcome.failures).toMatchObject([{ key: 'a', error: { code: 'XC-5402' } }]);
    expect(await contentsOf(mirror.target)).toEqual({ a: 'theirs', b: 'b', extra: 'extra' });
  });

  test('an object that the source has again is not deleted', async () => {
    const mirror = testMirror();
    for (const key of ['a', 'b', 'c']) await mirror.source.write(key, text(key));
    await mirror.sync();
    await mirror.source.remove('c');
    const outcome = await mirror.sync({
      between: async () => void (await mirror.source.write('c', text('c'))),
    });
    expect(outcome).toMatchObject({ deleted: 0, failed: 1 });
    expect(outcome.failures).toMatchObject([{ key: 'c', error: { code: 'XC-5402' } }]);
    expect(Object.keys(await contentsOf(mirror.target))).toEqual(['a', 'b', 'c']);
  });

  test('half of the target and no more is deleted; nothing at all for an empty source', async () => {
    const mirror = testMirror();
    for (const key of ['a', 'b', 'c', 'd']) await mirror.source.write(key, text(key));
    await mirror.sync();
    for (const key of ['a', 'b', 'c']) await mirror.source.remove(key);
    await expect(mirror.sync()).rejects.toMatchObject({ code: 'XC-2080' });
    await expect(mirror.sync({ limit: { kind: 'count', objects: 2 } })).rejects.toMatchObject({
      code: 'XC-2080',
    });
    await mirror.source.remove('d');
    await expect(mirror.sync({ limit: { kind: 'part', percent: 100 } })).rejects.toMatchObject({
      code: 'XC-2081',
    });
    expect(Object.keys(await contentsOf(mirror.target))).toHaveLength(4);
    await mirror.source.write('d', text('d'));
    expect(await mirror.sync({ limit: { kind: 'count', objects: 3 } })).toMatchObject({ deleted: 3 });
    expect(await contentsOf(mirror.target)).toEqual({ d: 'd' });
  });

  test('--immutable adds and deletes, and replaces nothing', async () => {
    const mirror = testMirror();
    for (const key of ['a', 'b']) await mirror.source.write(key, text(key));
    await mirror.sync();
    await mirror.source.write('a', text('A'));
    await mirror.source.write('c', text('c'));
    const outcome = await mirror.sync({ immutable: true });
    expect(outcome).toMatchObject({ copied: 1, replaced: 0, failed: 1 });
    expect(outcome.failures).toMatchObject([{ key: 'a', error: { code: 'XC-2082' } }]);
    expect(await contentsOf(mirror.target)).toEqual({ a: 'a', b: 'b', c: 'c' });
  });

  test('filters keep their hands off the other keys on both sides', async () => {
    const mirror = testMirror();
    for (const key of ['a.jpg', 'b.txt', 'c/d.jpg']) await mirror.source.write(key, text(key));
    for (const key of ['old.txt', 'old.jpg']) await mirror.target.write(key, text(key));
    const limit = { kind: 'part', percent: 100 } as const;
    await mirror.sync({ include: ['*.jpg'], exclude: ['/c/**'], limit });
    expect(Object.keys(await contentsOf(mirror.target))).toEqual(['a.jpg', 'old.txt']);
  });

  test('prefixes map keys from one place to another', async () => {
    const mirror = testMirror();
    await mirror.source.write('photos/x', text('x'));
    await mirror.source.write('other/y', text('y'));
    await mirror.sync({ sourcePrefix: 'photos/', targetPrefix: 'copies/photos/' });
    expect(await contentsOf(mirror.target)).toEqual({ 'copies/photos/x': 'x' });
  });

  test('a full disk ends it at once', async () => {
    const mirror = testMirror();
    for (const key of ['a', 'b']) await mirror.source.write(key, text(key));
    const target = changed(mirror.target, {
      write: async (key) => {
        throw Object.assign(objectGone('memory:target', key), { code: 'XC-6103' });
      },
    });
    await expect(mirror.sync({ target })).rejects.toMatchObject({ code: 'XC-6103' });
  });
});

describe('a large object', () => {
  const PART = 2 ** 19;
  const BYTES = 3 * PART + 3;

  test.each([
    ['whose digest is known', (digest: HexDigest | null) => digest],
    ['whose digest nobody knows', () => null],
  ])('%s goes on after a crash where it was', async (_, known) => {
    const mirror = testMirror();
    const { sha256 } = await mirror.source.write('large', content(BYTES));
    const source = changed(mirror.source, {
      head: async (key) => {
        const info = await mirror.source.head(key);
        return info && { ...info, sha256: known(info.sha256) };
      },
    });
    const uploads = mirror.target.parts;
    const sent: number[] = [];
    let crashAt = 3;
    const target = changed(mirror.target, {
      parts: {
        ...uploads,
        put: async (key, upload, number, body) => {
          if (number >= crashAt) throw new Error('kill -9');
          const part = await uploads.put(key, upload, number, body);
          sent.push(number);
          return part;
        },
      },
    });
    await expect(mirror.sync({ source, target })).rejects.toThrow('kill -9');
    expect(await contentsOf(mirror.target)).toEqual({});
    const before = [...sent];
    expect(before.length).toBeGreaterThan(0);
    crashAt = Infinity;
    const outcome = await mirror.sync({ source, target });
    expect(outcome).toMatchObject({ copied: 1, failed: 0, readBack: 1 });
    expect(sent.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    expect(outcome.bytesSent).toBe(BYTES - before.length * PART);
    expect((await mirror.known())[0]).toMatchObject({ key: 'large', bytes: BYTES, sha256 });
    expect((await ownKeys(mirror.target)).filter((key) => key.startsWith(UPLOADS_PREFIX))).toEqual([]);
  });

  test('that became another one meanwhile begins anew, and leaves nothing of the first', async () => {
    const mirror = testMirror();
    await mirror.source.write('large', content(BYTES));
    const uploads = mirror.target.parts;
    const begun: string[] = [];
    let crash = true;
    const target = changed(mirror.target, {
      parts: {
        ...uploads,
        begin: async (key, options) => {
          begun.push(await uploads.begin(key, options));
          return begun.at(-1)!;
        },
        finish: async (...given) => {
          if (crash) throw new Error('kill -9');
          return await uploads.finish(...given);
        },
      },
    });
    await expect(mirror.sync({ target })).rejects.toThrow('kill -9');
    await mirror.source.write('large', content(BYTES, 'another'));
    crash = false;
    expect(await mirror.sync({ target })).toMatchObject({ copied: 1, failed: 0 });
    expect(begun).toHaveLength(2);
    expect(await uploads.list('large', begun[0]!)).toBeNull();
    const wanted = await mirror.source.head('large');
    expect((await mirror.target.head('large'))?.sha256).toBe(wanted?.sha256);
  });
});
