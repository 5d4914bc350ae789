/** A sample of a table's columns as text, for looking at and not for keeping. */

import type { Client } from 'pg';
import type { TableFacts } from '../../core/topology/table.ts';
import { quoteName } from '../../core/topology/quote.ts';

/** Above this a sample of blocks is read instead of the first rows. */
const LARGE_ROWS = 100_000;
const SAMPLE_ROWS = 1_000;
/** Of one value: more than any form that is looked for. */
const MOST_CHARACTERS = 200;

/** Values by column, in the order of the sample. @throws the server's error where the role may not read the table */
export const sampleColumns = async (
  client: Client,
  table: TableFacts,
  columns: readonly string[],
): Promise<Map<string, (string | null)[]>> => {
  if (columns.length === 0) return new Map();
  const list = columns
    .map((name, at) => `pg_catalog.left(${quoteName(name)}::text, ${MOST_CHARACTERS}) AS "c${at}"`)
    .join(', ');
  // Blocks hold about a hundred rows: enough of them for the sample, and not more than a hundredth of the table.
  const percent = Math.min(1, (100 * SAMPLE_ROWS * 10) / Math.max(table.estimatedRows, 1));
  const sampled =
    table.estimatedRows > LARGE_ROWS && table.kind === 'r' ? ` TABLESAMPLE SYSTEM (${percent})` : '';
  const { rows } = await client.query<Record<string, string | null>>(
    `SELECT ${list} FROM ${quoteName(table.schema)}.${quoteName(table.name)}${sampled} LIMIT ${SAMPLE_ROWS}`,
  );
  return new Map(columns.map((name, at) => [name, rows.map((row) => row[`c${at}`] ?? null)]));
};
