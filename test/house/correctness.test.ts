/** docs/correctness.md says which tests show a rule: each of them is there, under its title, and no rule is without. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rules } from '../correctness/rules.ts';

const ROOT = join(import.meta.dirname, '../..');

test('a test that shows a rule is there under its title', async () => {
  const missing: string[] = [];
  for (const { number, shown } of rules)
    for (const [file, titles] of Object.entries(shown)) {
      const text = await readFile(join(ROOT, file), 'utf8').catch(() => '');
      const there = (title: string): boolean =>
        [`'${title}'`, `"${title}"`, `\`${title}\``].some((quoted) => text.includes(quoted));
      missing.push(...titles.filter((title) => !there(title)).map((title) => `${number}: ${file}: ${title}`));
    }
  expect(missing).toEqual([]);
});

test('every rule of carrying and of comparing is shown', () => {
  const wanted = [...Array.from({ length: 20 }, (_, index) => index + 1), 35, 36, 37];
  expect(rules.map(({ number }) => number)).toEqual(wanted);
  expect(rules.filter(({ shown }) => Object.keys(shown).length === 0)).toEqual([]);
});
