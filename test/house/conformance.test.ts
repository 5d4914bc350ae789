/** docs/conformance.md says which tests show a scenario: each of them is there, under its title. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scenarios } from '../conformance/registry.ts';

const ROOT = join(import.meta.dirname, '../..');

test('a scenario that another test shows is there under its title', async () => {
  const missing: string[] = [];
  for (const { name, shown } of scenarios) {
    if (shown.kind !== 'elsewhere') continue;
    const text = await readFile(join(ROOT, shown.file), 'utf8').catch(() => '');
    if (!text.includes(`'${shown.test}'`)) missing.push(`${name}: ${shown.file}: ${shown.test}`);
  }
  expect(missing).toEqual([]);
});
