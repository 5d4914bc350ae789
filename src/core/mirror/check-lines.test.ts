import { expect, test } from 'vitest';
import { unreachable } from '../objects/store-errors.ts';
import { checkLines, type Checked } from './check-lines.ts';
import { storeDayCounts } from './day-counts.ts';
import { changed, testMirror, text } from './mirror.fixture.ts';

test('signs by records, and by bytes where they are read', async () => {
  const mirror = testMirror();
  for (const key of ['broken', 'equal', 'mended', 'only-here', 'other'])
    await mirror.source.write(key, text(key));
  for (const key of ['broken', 'equal', 'mended', 'only-there']) await mirror.target.write(key, text(key));
  await mirror.target.write('other', text('OTHER'));
  const source = changed(mirror.source, {
    read: (key, options) => {
      if (key === 'broken') throw unreachable('memory:', key, new Error('cut'));
      return mirror.source.read(key, options);
    },
  });
  const target = changed(mirror.target, {
    // The bytes of `equal` are no longer what its record says; nobody recorded anything of `mended`.
    read: (key, options) => (key === 'equal' ? text('eqUal') : mirror.target.read(key, options)),
    list: (prefix) =>
      (async function* () {
        for await (const info of mirror.target.list(prefix))
          yield info.key === 'mended' ? { ...info, sha256: null } : info;
      })(),
    head: async (key) => {
      const info = await mirror.target.head(key);
      return info && key === 'mended' ? { ...info, sha256: null } : info;
    },
  });
  const signs = async (isRead: boolean): Promise<string[]> => {
    const entries = await mirror.plan({ source, target });
    const all = (async function* () {
      yield* entries;
    })();
    const reading = {
      source,
      target,
      sourcePrefix: '',
      targetPrefix: '',
      clock: mirror.clock,
      signal: new AbortController().signal,
      pace: () => null,
    };
    const found: Checked[] = [];
    for await (const checked of checkLines(all, 2, isRead ? reading : null)) found.push(checked);
    return found.map(({ sign, key }) => `${sign} ${key}`);
  };
  expect(await signs(false)).toEqual([
    '= broken',
    '= equal',
    '! mended',
    '+ only-here',
    '- only-there',
    '* other',
  ]);
  expect(await signs(true)).toEqual([
    '! broken',
    '* equal',
    '= mended',
    '+ only-here',
    '- only-there',
    '* other',
  ]);
});

test('bytes of a day are counted together by many at once, and begin anew with the day', async () => {
  const { target } = testMirror();
  const counts = storeDayCounts(target);
  await Promise.all(Array.from({ length: 8 }, async () => await counts.add('acme', 'us', '2026-01-31', 10)));
  expect(await counts.add('acme', 'us', '2026-01-31', 1)).toBe(81);
  expect(await counts.add('acme', 'eu', '2026-01-31', 1)).toBe(1);
  expect(await counts.add('acme', 'us', '2026-02-01', 2)).toBe(2);
});
