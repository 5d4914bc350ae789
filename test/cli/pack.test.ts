import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { folder, run } from './spawn.ts';

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

test('the packed package, installed into an empty folder without a network, works', async () => {
  await using files = await folder();
  // The build ran already; packing would only repeat it.
  await execute('npm', ['pack', '--ignore-scripts', '--pack-destination', files.path], { cwd: ROOT });
  const [tarball = ''] = (await readdir(files.path)).filter((file) => file.endsWith('.tgz'));
  await files.write('package.json', '{ "private": true }');
  await execute('npm', ['install', '--offline', '--no-audit', '--no-fund', `./${tarball}`], {
    cwd: files.path,
  });
  expect(await readdir(join(files.path, 'node_modules'))).toEqual(['.bin', '.package-lock.json', 'xcrepl']);

  const program = [join(files.path, 'node_modules/.bin/xcrepl')];
  const here = { cwd: files.path, program };
  expect((await run(['--version'], here)).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const commands = await run(['commands'], here);
  expect(commands).toMatchObject({ exit: 0, stderr: '' });
  expect(commands.stdout).toBe((await run(['commands'])).stdout);
});
