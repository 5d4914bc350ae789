import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { observeDirectory } from './observe.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'xcrepl-observe-'));
});
afterAll(() => rm(root, { recursive: true }));

it('judges a directory by the nearest one that exists, and makes none', async () => {
  const seen = await observeDirectory(join(root, 'a', 'b'));
  expect(seen).toMatchObject({
    path: join(root, 'a', 'b'),
    existing: root,
    isDirectory: true,
    writable: true,
  });
  expect(seen.freeBytes).toBeGreaterThan(0);
  expect(await readdir(root)).toEqual([]);
});

it('sees that a file is in the way', async () => {
  await writeFile(join(root, 'file'), '');
  expect(await observeDirectory(join(root, 'file'))).toMatchObject({ isDirectory: false });
});
