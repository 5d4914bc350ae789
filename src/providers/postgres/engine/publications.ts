/**
 * Publications of a stream on the source: exactly the rows and columns that its links need. `publish_via_partition_root`
 * lets the two sides be partitioned differently.
 */

import type { Client } from 'pg';
import type { PublishedTable } from '../../../core/plan/plan.ts';
import { insertOnlyPublicationName, publicationName, type StreamKey } from '../../../core/topology/link.ts';
import { splitTable } from '../../../core/topology/table-name.ts';
import type { TableName } from '../../../core/topology/table.ts';
import { ident, qualified, tableNameSql } from '../quote.ts';
import { rowFilterSql } from './row-filter-sql.ts';

/** ONLY: children by inheritance are published by their own names; a partitioned table has its partitions either way. */
const tableSql = ({ table, filter, columns }: PublishedTable, typeOid: number): string => {
  const name = tableIdent(table);
  const list = columns === null ? '' : ` (${columns.map(ident).join(', ')})`;
  return filter === null
    ? `${name}${list}`
    : `${name}${list} WHERE (${rowFilterSql(filter.column, filter.values, typeOid)})`;
};

/**
 * Tables that the stream's publications have. A table that was created later is in scope of its rule and not carried:
 * what was written to it before could not be streamed.
 */
export const publishedTables = async (client: Client, stream: StreamKey): Promise<ReadonlySet<TableName>> => {
  const { rows } = await client.query<{ table: string }>(
    `SELECT ${tableNameSql('schemaname', 'tablename')} AS table FROM pg_publication_tables WHERE pubname = ANY ($1)`,
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
  const types = await filterTypes(client, tables);
  const list = tables.map((table, at) => `TABLE ONLY ${tableSql(table, types.get(at + 1) ?? 0)}`).join(', ');
  const statement = exists
    ? `ALTER PUBLICATION ${ident(name)} SET ${list}`
    : `CREATE PUBLICATION ${ident(name)} FOR ${list} WITH (publish = '${operations}', publish_via_partition_root = true)`;
  // One query is one transaction: no statement of the application meets the publication in between.
  const more = (await needsGenerated(client, tables))
    ? `; ALTER PUBLICATION ${ident(name)} SET (publish_generated_columns = stored)`
    : '';
  await client.query(`${statement}${more}`);
};

/** Types of the columns that rows are filtered by, as OIDs, by the table's place: the first is 1. */
const filterTypes = async (
  client: Client,
  tables: readonly PublishedTable[],
): Promise<ReadonlyMap<number, number>> => {
  const { rows } = await client.query<{ place: number; type: number }>(
    `SELECT place::int, a.atttypid AS type
       FROM unnest($1::regclass[], $2::text[]) WITH ORDINALITY AS one (oid, name, place)
       JOIN pg_attribute a ON a.attrelid = one.oid AND a.attname = one.name AND NOT a.attisdropped`,
    [tables.map(({ table }) => tableIdent(table)), tables.map(({ filter }) => filter?.column ?? null)],
  );
  return new Map(rows.map(({ place, type }) => [place, type]));
};

/**
 * From PostgreSQL 18 on (pub_contains_invalid_column), the application's UPDATE of a table of REPLICA IDENTITY FULL
 * fails where its stored generated columns are not published. They end in the runner.
 */
const needsGenerated = async (client: Client, tables: readonly PublishedTable[]): Promise<boolean> => {
  const { rows } = await client.query<{ needs: boolean }>(
    `SELECT current_setting('server_version_num')::int >= 180000 AND EXISTS (
       SELECT FROM unnest($1::regclass[]) AS root (oid)
         CROSS JOIN LATERAL (SELECT root.oid UNION SELECT relid FROM pg_partition_tree(root.oid)) AS one (oid)
         JOIN pg_class c ON c.oid = one.oid AND c.relreplident = 'f'
         JOIN pg_attribute a ON a.attrelid = c.oid AND a.attgenerated = 's' AND NOT a.attisdropped) AS needs`,
    [tables.map(({ table }) => tableIdent(table))],
  );
  return rows[0]?.needs ?? false;
};

const tableIdent = (table: TableName): string => qualified(splitTable(table));
