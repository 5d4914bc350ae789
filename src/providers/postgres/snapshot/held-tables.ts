/**
 * One snapshot of a database, held by a session: what its tables looked like and where the log stood, and a lock on
 * them that keeps out what no snapshot can show, a TRUNCATE or a rewrite (PostgreSQL documentation, 13.6), as pg_dump does.
 */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { TableExtent } from '../../../core/snapshot/part-layout.ts';
import { tableName, type Catalogue, type TableFacts, type TableName } from '../../../core/topology/table.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { ident, literal, rowsOf } from '../quote.ts';

export interface HeldTables {
  /** For SET TRANSACTION SNAPSHOT, while the client lives. */
  readonly name: string;
  /** pg_current_snapshot(). */
  readonly visible: string;
  /** Positions before and after the snapshot was taken. */
  readonly from: Lsn;
  readonly lsn: Lsn;
  readonly catalogue: Catalogue;
}

const POSITION =
  'CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END::text';

/** The client's transaction stays open, and holds the snapshot. Works on a standby, too. */
export const holdTables = async (
  client: Client,
  isWanted: (table: TableName) => boolean,
): Promise<HeldTables> => {
  const before = await client.query<{ lsn: string }>(`SELECT ${POSITION} AS lsn`);
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  const { rows } = await client.query<{ name: string; visible: string; lsn: string }>(
    `SELECT pg_export_snapshot() AS name, pg_current_snapshot()::text AS visible, ${POSITION} AS lsn`,
  );
  const [row] = rows;
  return {
    name: row?.name ?? '',
    visible: row?.visible ?? '',
    from: parseLsn(before.rows[0]?.lsn ?? ''),
    lsn: parseLsn(row?.lsn ?? ''),
    catalogue: await readCatalogue(client, { tables: isWanted }),
  };
};

/** pg_class as the snapshot shows it, beside what it is now: a file that is another one was rewritten since. */
const REWRITTEN = `
  SELECT c.oid::regclass::text AS name
    FROM pg_class c
   WHERE c.relkind = 'r' AND c.relfilenode <> pg_relation_filenode(c.oid)
     AND (c.oid = ANY ($1::oid[]) OR c.oid IN (SELECT t.relid FROM unnest($1::oid[]) AS r, pg_partition_tree(r) AS t))`;

/** @throws XcError XC-6120 */
export const lockTables = async (client: Client, tables: readonly TableFacts[]): Promise<void> => {
  for (const table of tables) await client.query(`LOCK TABLE ${rowsOf(table)} IN ACCESS SHARE MODE`);
  const { rows } = await client.query<{ name: string }>(REWRITTEN, [tables.map(({ oid }) => oid)]);
  if (rows.length > 0) throw new XcError('XC-6120', { subject: rows.map(({ name }) => name).join(', ') });
};

/** In pages of the table, or of its largest partition. */
export const readExtents = async (client: Client, tables: readonly TableFacts[]): Promise<TableExtent[]> => {
  const { rows } = await client.query<{ pages: string }>(
    `SELECT coalesce((SELECT max(pg_relation_size(t.relid)) FROM pg_partition_tree(o) AS t), pg_relation_size(o), 0)
            / current_setting('block_size')::bigint AS pages
       FROM unnest($1::oid[]) WITH ORDINALITY AS u (o, at) ORDER BY at`,
    [tables.map(({ oid }) => oid)],
  );
  return tables.map((table, at) => ({
    table: tableName(table),
    pages: Number(rows[at]?.pages ?? 0),
    bytes: table.bytes,
  }));
};

/** Rows of pages [from, to); of a partitioned table, of these pages of each partition. */
export const partPredicate = (
  scope: { readonly column: string; readonly value: string } | null,
  pages: { readonly from: number | null; readonly to: number | null },
): string => {
  const tests = [
    ...(scope ? [`${ident(scope.column)} = ${literal(scope.value)}`] : []),
    ...(pages.from === null ? [] : [`ctid >= '(${pages.from},0)'`]),
    ...(pages.to === null ? [] : [`ctid < '(${pages.to},0)'`]),
  ];
  return tests.length === 0 ? 'TRUE' : tests.join(' AND ');
};
