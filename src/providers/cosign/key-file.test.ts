import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { observeKeyFile } from './key-file.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'xcrepl-key-'));
});
afterAll(() => rm(root, { recursive: true }));

it('sees mode and kind of a key file, and nothing of what is in it', async () => {
  const path = join(root, 'cosign.key');
  await writeFile(path, '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nhunter2\n');
  await chmod(path, 0o640);
  const seen = await observeKeyFile(path);
  expect(seen.file).toEqual({ isFile: true, readable: true, mode: 0o640, looksLikeKey: true });
  expect(JSON.stringify(seen)).not.toContain('hunter2');
});

it('sees what is no key, no file, or not there', async () => {
  await writeFile(join(root, 'other'), 'hello');
  expect((await observeKeyFile(join(root, 'other'))).file?.looksLikeKey).toBe(false);
  expect((await observeKeyFile(root)).file).toMatchObject({ isFile: false, looksLikeKey: false });
  expect((await observeKeyFile(join(root, 'none'))).file).toBeNull();
});
