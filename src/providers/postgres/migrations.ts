/**
 * The numbered SQL migrations as text. They live beside this file in a checkout, and in infra/sql of the package that
 * npm installs, where the program is a bundle.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { XcError } from '../../core/errors/xc-error.ts';
import { isErrno } from '../../core/errors/errno.ts';

export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  /** "sha256:…" of the text. */
  readonly checksum: string;
}

/** Relative to src/providers/postgres, and to the places in dist/ that a bundler may put this module. */
const PLACES = ['./migrations/', '../infra/sql/', '../../infra/sql/'];
const FILE = /^(\d{4})_([a-z0-9_]+)\.sql$/;

/** In order of their versions. @throws XcError XC-9001 when the package is incomplete */
export const readMigrations = async (): Promise<readonly Migration[]> => {
  for (const place of PLACES) {
    const directory = new URL(place, import.meta.url);
    const files = (await listIfPresent(directory)).filter((name) => FILE.test(name)).toSorted();
    if (files.length > 0)
      return await Promise.all(files.map((file) => readMigration(new URL(file, directory), file)));
  }
  throw new XcError('XC-9001', {
    subject: 'migrations',
    why: 'the SQL files of the package are missing',
    next: 'install the package again',
  });
};

const listIfPresent = async (directory: URL): Promise<string[]> => {
  try {
    return await readdir(directory);
  } catch (error) {
    if (isErrno(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return [];
    throw error;
  }
};

const readMigration = async (url: URL, file: string): Promise<Migration> => {
  const sql = await readFile(url, 'utf8');
  const [, version = '', name = ''] = FILE.exec(file) ?? [];
  const checksum = `sha256:${createHash('sha256').update(sql).digest('hex')}`;
  return { version: Number(version), name, sql, checksum };
};
