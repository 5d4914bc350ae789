/** Every file below a directory with what it holds, so that a test can say which ones a command wrote. */

import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** By path from the directory; directories that hold nothing count too, as "name/". */
export const filesBelow = async (directory: string): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(directory, path);
    if (entry.isFile()) found[name] = await readFile(path, 'utf8');
    else if (entry.isDirectory() && (await readdir(path)).length === 0) found[`${name}/`] = '';
  }
  return found;
};

/** Names of files that came, went or changed. */
export const changedFiles = (
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => before[name] !== after[name])
    .toSorted();
