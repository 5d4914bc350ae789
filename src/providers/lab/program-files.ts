/**
 * Copies a relocatable PostgreSQL once to where the server's user can reach it, under a name with its version.
 */

import { chmod, cp, mkdir, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { constants } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { dirname, join, relative } from 'node:path';
import type { Binaries } from './binaries.ts';

/** Directory with the programs, ready to run. Several callers at once are fine: the first complete copy stays. */
export const publishBinaries = async (binaries: Binaries, runtime: string): Promise<string> => {
  if (binaries.relocate === null) return binaries.bin;
  const { root, name } = binaries.relocate;
  const home = join(runtime, 'pg', name);
  if (!(await isDirectory(home))) await publish(root, home);
  return join(home, 'bin');
};

/** A copy appears under its name only when it is complete: a rename is atomic and fails where one stands already. */
const publish = async (root: string, home: string): Promise<void> => {
  const parent = dirname(home);
  await mkdir(parent, { recursive: true, mode: 0o755 });
  await chmod(parent, 0o755);
  const draft = `${home}.${randomUUID()}`;
  try {
    await cp(root, draft, {
      recursive: true,
      verbatimSymlinks: true,
      mode: constants.COPYFILE_FICLONE,
      filter: (path) => !path.endsWith('.a'),
    });
    await linkLibraries(draft);
    await openToAll(draft);
    await rename(draft, home);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await isDirectory(home))) throw error;
  }
};

/** npm packages hold no symbolic links, so this one lists them; its install script makes them, unless it may not run. */
const linkLibraries = async (home: string): Promise<void> => {
  for (const { source, target } of await symlinksOf(home)) {
    const path = join(home, relative('native', target));
    await symlink(relative(dirname(target), source), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
};

/** Paths relative to the package: "native/lib/libpq.so.5.18". */
interface LibraryLink {
  readonly source: string;
  readonly target: string;
}

const symlinksOf = async (home: string): Promise<readonly LibraryLink[]> => {
  try {
    return JSON.parse(await readFile(join(home, 'pg-symlinks.json'), 'utf8')) as readonly LibraryLink[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
};

/** Readable by the server's user whatever the umask of the installer was; writable by the owner alone. */
const openToAll = async (home: string): Promise<void> => {
  await chmod(home, 0o755);
  for (const entry of await readdir(home, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    const runs = entry.isDirectory() || ((await stat(path)).mode & 0o100) !== 0 || path.includes('/bin/');
    await chmod(path, runs ? 0o755 : 0o644);
  }
};

const isDirectory = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
};
