/** infra/sql: the migrations as operators and the installed package find them, the same as beside the provider. */

import { readdir, readFile } from 'node:fs/promises';

const MIGRATIONS = new URL('../../src/providers/postgres/migrations/', import.meta.url);

/** @returns path from the root of the project, and text */
export const sqlPages = async (): Promise<[path: string, text: string][]> => {
  const files = (await readdir(MIGRATIONS)).filter((file) => file.endsWith('.sql')).toSorted();
  return Promise.all(
    files.map(async (file): Promise<[string, string]> => [
      `infra/sql/${file}`,
      await readFile(new URL(file, MIGRATIONS), 'utf8'),
    ]),
  );
};
