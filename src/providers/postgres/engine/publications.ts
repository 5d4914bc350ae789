/**
 * Publications of a stream on the source: exactly the rows and columns that its links need. `publish_via_partition_root`
 * lets the two sides be partitioned differently.
 */

import type { Client } from 'pg';
import type { PublishedTable } from '../../../core/plan/plan.ts';
import { insertOnlyPublicationName, publicationName, type StreamKey } from '../../../core/topology/link.ts';
import type { TableName } from '../../../core/topology/table.ts';
import { ident, literal } from '../quote.ts';

/** ONLY: children by inheritance are published by their own names; a partitioned table has its partitions either way. */
const tableSql = ({ table, filter, columns }: PublishedTable): string => {
  const dot = table.indexOf('.');
  const name = `${ident(table.slice(0, dot))}.${ident(table.slice(dot + 1))}`;
  const list = columns === null ? '' : ` (${columns.map(ident).join(', ')})`;
  if (filter === null) return `${name}${list}`;
  const values = filter.values.map(literal).join(', ');
  const test = filter.values.length === 1 ? `= ${values}` : `IN (${values})`;
  return `${name}${list} WHERE (${ident(filter.column)} ${test})`;
};

/**
 * Tables that the stream's publications have. A table that was created later is in scope of its rule and not carried:
 * what was written to it before could not be streamed.
 */
export const publishedTables = async (client: Client, stream: StreamKey): Promise<ReadonlySet<TableName>> => {
  const { rows } = await client.query<{ table: string }>(
    `SELECT schemaname || '.' || tablename AS table FROM pg_publication_tables WHERE pubname = ANY ($1)`,
    [[publicationName(stream), insertOnlyPublicationName(stream)]],
  );
  return new Set(rows.map(({ table }) => table));
};

/** Creates, changes or drops the publication so that it has exactly these tables. */
export const publish = async (
  client: Client,
  name: string,
  operations: 'insert, update, delete, truncate' | 'insert',
  tables: readonly PublishedTable[],
): Promise<void> => {
  const { rowCount } = await client.query('SELECT FROM pg_publication WHERE pubname = $1', [name]);
  const exists = (rowCount ?? 0) > 0;
  if (tables.length === 0) {
    if (exists) await client.query(`DROP PUBLICATION ${ident(name)}`);
    return;
  }
  const list = tables.map((table) => `TABLE ONLY ${tableSql(table)}`).join(', ');
  await client.query(
    exists
      ? `ALTER PUBLICATION ${ident(name)} SET ${list}`
      : `CREATE PUBLICATION ${ident(name)} FOR ${list} WITH (publish = '${operations}', publish_via_partition_root = true)`,
  );
};
