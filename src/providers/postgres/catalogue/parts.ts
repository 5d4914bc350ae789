/** What tables are made of: columns, indexes, triggers and foreign keys, each for all tables in one statement. */

import { tableNameSql } from '../quote.ts';
import type { Client } from 'pg';
import type { IndexFacts, TriggerFacts } from '../../../core/topology/table.ts';

export interface ColumnRow {
  readonly table: number;
  readonly name: string;
  readonly number: number;
  readonly type_oid: number;
  readonly type_name: string;
  readonly type_modifier: number;
  readonly not_null: boolean;
  readonly default: string | null;
  readonly generated: '' | 's' | 'v';
  readonly identity: '' | 'a' | 'd';
  readonly collation: string | null;
  readonly filled: string | null;
}

/** attmissingval is an array of the one value that rows have which are older than the column. */
const COLUMNS = `
  SELECT a.attrelid AS "table", a.attname::text AS name, a.attnum::int AS number, a.atttypid AS type_oid,
         format_type(a.atttypid, a.atttypmod) AS type_name, a.atttypmod AS type_modifier, a.attnotnull AS not_null,
         pg_get_expr(d.adbin, d.adrelid) AS "default", a.attgenerated::text AS generated,
         a.attidentity::text AS identity,
         CASE WHEN a.attcollation NOT IN (0, t.typcollation)
              THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END AS collation,
         CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END AS filled
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation co ON co.oid = a.attcollation
    LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
   WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attrelid, a.attnum`;

export const readColumnRows = async (client: Client, oids: readonly number[]): Promise<ColumnRow[]> =>
  (await client.query<ColumnRow>(COLUMNS, [oids])).rows;

interface CorrelationRow {
  readonly table: number;
  readonly column: string;
  readonly correlation: number;
}

/**
 * The view pg_stats shows only columns that the role may read. Joined to a catalogue's columns it costs more than all the
 * rest of a catalogue, so it is asked for few tables, and alone.
 */
const CORRELATIONS = `
  SELECT c.oid AS "table", s.attname::text AS "column", s.correlation::float8 AS correlation
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited
   WHERE c.oid = ANY ($1::oid[]) AND s.correlation IS NOT NULL`;

/** @returns of each table's columns that were analysed, by table and name; asks nothing where there is no table */
export const readCorrelations = async (
  client: Client,
  oids: readonly number[],
): Promise<ReadonlyMap<number, ReadonlyMap<string, number>>> => {
  if (oids.length === 0) return new Map();
  const { rows } = await client.query<CorrelationRow>(CORRELATIONS, [oids]);
  const byTable = Map.groupBy(rows, ({ table }) => table);
  return new Map(
    [...byTable].map(([table, columns]) => [
      table,
      new Map(columns.map(({ column, correlation }) => [column, correlation])),
    ]),
  );
};

export interface IndexRow extends Omit<IndexFacts, 'columns'> {
  readonly table: number;
  readonly columns: readonly string[];
  readonly replica_identity: boolean;
}

/** Key columns only, in key order, without INCLUDE columns; an expression has no column. */
const INDEXES = `
  SELECT i.indrelid AS "table", c.relname::text AS name, i.indisprimary AS "primary", i.indisunique AS "unique",
         i.indisexclusion AS exclusion, i.indimmediate AS immediate, i.indisvalid AND i.indisready AS valid,
         i.indexprs IS NOT NULL OR i.indpred IS NOT NULL AS "partialOrExpression",
         i.indisreplident AS replica_identity,
         ARRAY (SELECT a.attname::text
                  FROM unnest(i.indkey) WITH ORDINALITY AS k (number, position)
                  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
                 WHERE k.position <= i.indnkeyatts ORDER BY k.position) AS columns
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
   WHERE i.indrelid = ANY ($1::oid[]) AND i.indislive
   ORDER BY i.indrelid, c.relname`;

export const readIndexRows = async (client: Client, oids: readonly number[]): Promise<IndexRow[]> =>
  (await client.query<IndexRow>(INDEXES, [oids])).rows;

interface TriggerRow {
  readonly table: number;
  readonly name: string;
  readonly enabled: TriggerFacts['enabled'];
  readonly type: number;
}

const TRIGGERS = `
  SELECT tgrelid AS "table", tgname::text AS name, tgenabled::text AS enabled, tgtype::int AS type
    FROM pg_trigger WHERE tgrelid = ANY ($1::oid[]) AND NOT tgisinternal
   ORDER BY tgrelid, tgname`;

export const readTriggers = async (
  client: Client,
  oids: readonly number[],
): Promise<(TriggerFacts & { readonly table: number })[]> => {
  const { rows } = await client.query<TriggerRow>(TRIGGERS, [oids]);
  return rows.map(({ table, name, enabled, type }) => ({ table, name, enabled, timing: timingOf(type) }));
};

/** Bits of pg_trigger.tgtype: src/include/catalog/pg_trigger.h. "BEFORE INSERT OR UPDATE FOR EACH ROW". */
const timingOf = (type: number): string => {
  const when = type & 64 ? 'INSTEAD OF' : type & 2 ? 'BEFORE' : 'AFTER';
  const events = [
    type & 4 ? 'INSERT' : '',
    type & 16 ? 'UPDATE' : '',
    type & 8 ? 'DELETE' : '',
    type & 32 ? 'TRUNCATE' : '',
  ].filter((event) => event !== '');
  return `${when} ${events.join(' OR ')} FOR EACH ${type & 1 ? 'ROW' : 'STATEMENT'}`;
};

export interface ForeignKeyRow {
  readonly table: number;
  readonly name: string;
  readonly references: string;
}

/** Copies of a partitioned table's constraints on its partitions are left out: their origin stands for them. */
const FOREIGN_KEYS = `
  SELECT k.conrelid AS "table", k.conname::text AS name, ${tableNameSql('n.nspname', 'c.relname')} AS "references"
    FROM pg_constraint k
    JOIN pg_class c ON c.oid = k.confrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY ($1::oid[])
   ORDER BY k.conrelid, k.conname`;

export const readForeignKeyRows = async (client: Client, oids: readonly number[]): Promise<ForeignKeyRow[]> =>
  (await client.query<ForeignKeyRow>(FOREIGN_KEYS, [oids])).rows;
