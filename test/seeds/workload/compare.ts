/** Whether the target has the rows that it should, and none of a tenant without a rule; by nothing of the product. */

import type { Pair } from '../../harness/pair.ts';
import { tableDigest } from '../../harness/table-digest.ts';
import { ident, STRANGER, TENANT_COLUMN, type Table } from './schema.ts';

/** @throws Error that names every table that differs, with some of its rows */
export const expectEqual = async (pair: Pair, tables: readonly Table[]): Promise<void> => {
  const wrong: string[] = [];
  for (const table of tables) {
    const where = table.shared ? `${TENANT_COLUMN} <> '${STRANGER}'` : 'true';
    const digest = (side: 'source' | 'target') => tableDigest(pair[side], table.name, where, table.compared);
    const [source, target] = await Promise.all([digest('source'), digest('target')]);
    if (source.md5 !== target.md5) wrong.push(await difference(pair, table, where));
    const strangers = table.shared
      ? await pair.target.query(`SELECT FROM ${table.name} WHERE ${TENANT_COLUMN} = '${STRANGER}'`)
      : [];
    if (strangers.length > 0)
      wrong.push(`${table.name} has ${strangers.length} rows of a tenant without a rule`);
  }
  if (wrong.length > 0) throw new Error(`the target is not as the source:\n${wrong.join('\n')}`);
};

const SHOWN_ROWS = 3;
const SHOWN_CHARACTERS = 500;

const difference = async (pair: Pair, table: Table, where: string): Promise<string> => {
  const sql = `SELECT ROW(${table.compared.map(ident).join(', ')})::text AS v FROM ${table.name} WHERE ${where} ORDER BY 1`;
  const read = async (side: 'source' | 'target'): Promise<string[]> =>
    (await pair[side].query<{ v: string }>(sql)).map(({ v }) => v);
  const [source, target] = await Promise.all([read('source'), read('target')]);
  return [
    `${table.name} (${table.identity}): ${source.length} rows at the source, ${target.length} at the target`,
    ...shown('only at the source', source, target),
    ...shown('only at the target', target, source),
  ].join('\n');
};

const shown = (name: string, rows: readonly string[], others: readonly string[]): string[] =>
  rows
    .filter((row) => !others.includes(row))
    .slice(0, SHOWN_ROWS)
    .map((row) => `  ${name}: ${row.slice(0, SHOWN_CHARACTERS)}`);
