/** What a table holds, as one text: independent of the product's own verification, and of the order of rows. */

import type { TestDatabase } from './test-database.ts';

export interface TableDigest {
  readonly rows: number;
  readonly md5: string;
}

/**
 * md5 over the sorted md5s of every row's text. `where` is SQL without parameters. `columns` compares a part of the
 * table, in that order, where the two sides are not meant to be equal in all columns.
 */
export const tableDigest = async (
  db: Pick<TestDatabase, 'query'>,
  table: string,
  where = 'true',
  columns?: readonly string[],
): Promise<TableDigest> => {
  const row =
    columns === undefined
      ? 't'
      : `ROW(${columns.map((name) => `t."${name.replaceAll('"', '""')}"`).join(', ')})`;
  const [digest] = await db.query<{ rows: number; md5: string }>(
    `SELECT count(*)::int AS rows, md5(coalesce(string_agg(h, '' ORDER BY h), '')) AS md5
       FROM (SELECT md5(${row}::text) AS h FROM ${table} AS t WHERE ${where}) AS hashes`,
  );
  if (!digest) throw new Error('an aggregate without a row');
  return digest;
};

/** Digests of several tables, by name: `expect(await digests(target, …)).toEqual(await digests(source, …))`. */
export const digests = async (
  db: Pick<TestDatabase, 'query'>,
  tables: readonly string[],
  where?: string,
): Promise<Record<string, TableDigest>> => {
  const found: Record<string, TableDigest> = {};
  for (const table of tables) found[table] = await tableDigest(db, table, where);
  return found;
};
