/** Tables with their partitions: names, sizes and what identifies a row, for all schemas in one statement each. */

import type { Client } from 'pg';
import type { RowlessFacts } from '../../../core/topology/table.ts';

export interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'r' | 'p';
  readonly persistence: 'p' | 'u' | 't';
  readonly is_partition: boolean;
  readonly replica_identity: 'd' | 'n' | 'f' | 'i';
  readonly row_security: boolean;
  readonly storage: number;
  readonly highest_column: number;
  readonly estimated_rows: number;
  readonly bytes: string;
}

/** One step of a partition tree; `child_kind` "f" is a foreign table. */
export interface PartitionRow {
  readonly parent: number;
  readonly child: number;
  readonly child_schema: string;
  readonly child_name: string;
  readonly child_kind: string;
}

/** System schemas, temporary tables of any session, and our own schema are never in a catalogue. */
const TABLES = `
  SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
         c.relpersistence::text AS persistence, c.relispartition AS is_partition,
         c.relreplident::text AS replica_identity, row_security_active(c.oid) AS row_security,
         c.relfilenode AS storage, c.relnatts::int AS highest_column, c.reltuples::float8 AS estimated_rows,
         CASE WHEN c.relkind = 'r' THEN coalesce(pg_table_size(c.oid), 0) ELSE 0 END AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
     AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'xcrepl')
     AND ($1::text[] IS NULL OR n.nspname = ANY ($1))`;

const PARTITIONS = `
  SELECT i.inhparent AS parent, i.inhrelid AS child, n.nspname::text AS child_schema,
         c.relname::text AS child_name, c.relkind::text AS child_kind
    FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relispartition AND c.relkind IN ('r', 'p', 'f') AND NOT i.inhdetachpending`;

export const readTableRows = async (
  client: Client,
  schemas: readonly string[] | undefined,
): Promise<TableRow[]> => (await client.query<TableRow>(TABLES, [schemas ?? null])).rows;

const ROWLESS = `
  SELECT n.nspname::text AS schema, c.relname::text AS name,
         CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('v', 'm', 'f') AND c.relpersistence <> 't' AND NOT c.relispartition
     AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'xcrepl')
     AND ($1::text[] IS NULL OR n.nspname = ANY ($1))
   ORDER BY 1, 2`;

export const readRowless = async (
  client: Client,
  schemas: readonly string[] | undefined,
): Promise<RowlessFacts[]> => (await client.query<RowlessFacts>(ROWLESS, [schemas ?? null])).rows;

export const readPartitionRows = async (client: Client): Promise<PartitionRow[]> =>
  (await client.query<PartitionRow>(PARTITIONS)).rows;
