/** Builds dist/ when a source file is newer: tests run the built program, and never an old one. */

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

const ROOT = join(import.meta.dirname, '../..');

/** Why there is no fresh build; kept for the tests that run the program, since the others do without. */
export const BUILD_FAILURE = 'XCREPL_TEST_BUILD_FAILURE';

export const ensureFreshBuild = async (): Promise<void> => {
  const built = await modifiedMs(join(ROOT, 'dist/main.js'));
  const sources = [
    ...(await filesBelow('src')),
    ...(await filesBelow('fixtures')),
    join(ROOT, 'package.json'),
  ];
  const newest = Math.max(...(await Promise.all(sources.map(modifiedMs))));
  if (newest <= built) return;
  const { failed, all } = await execa(process.execPath, [join(ROOT, 'scripts/build.ts')], {
    cwd: ROOT,
    all: true,
    reject: false,
  });
  if (failed) process.env[BUILD_FAILURE] = all;
};

const filesBelow = async (folder: string): Promise<string[]> => {
  const entries = await readdir(join(ROOT, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.name.includes('.test.'))
    .map((entry) => join(entry.parentPath, entry.name));
};

const modifiedMs = async (path: string): Promise<number> => {
  try {
    return (await stat(path)).mtimeMs;
  } catch {
    return 0;
  }
};
