/**
 * The Chinook sample database (a digital music store; 11 tables, about 15,600 rows), where its file lies beside the
 * checkout: tests that want it skip where it does not.
 *
 *   test.skipIf(chinookMissing !== null)(`copies Chinook (${chinookMissing ?? 'there'})`, async () => …)
 */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { splitPsqlInput } from './psql-input.ts';

const FILE = join(import.meta.dirname, '../../../shared/data/chinook.sql');

/** Why the data set cannot be used, or null. */
export const chinookMissing: string | null = existsSync(FILE)
  ? null
  : 'chinook.sql is not beside the checkout';

/** Statements that make the tables, with their rows or without, in whatever database one is connected to. */
export const chinookSql = async ({ rows }: { readonly rows: boolean }): Promise<string> => {
  const statements = splitPsqlInput(await readFile(FILE, 'utf8'));
  return statements
    .filter((statement) => !/^(CREATE|DROP) DATABASE\b/i.test(statement))
    .filter((statement) => rows || !/^INSERT\b/i.test(statement))
    .map((statement) => `${statement};\n`)
    .join('');
};
