/**
 * Foreign keys of the target, which nothing checks while rows are applied (CORRECTNESS 13): rows of a link that point to
 * nothing are counted. All of it is read in one snapshot, in which every batch is there as a whole or not at all, so that
 * a row whose parent came in the same transaction is never taken for one without.
 */

import type { Client } from 'pg';
import type { Link } from '../../../core/topology/link.ts';
import { tableName, type TableFacts } from '../../../core/topology/table.ts';
import { columnThere } from '../../../core/topology/target-view.ts';
import type { Finding } from '../../../core/validation/finding.ts';
import { ident, literal, qualified, rowsOf } from '../quote.ts';

/** A table of the target, as the source calls its columns, with the links whose rules ask for the check. */
export interface CheckedTable {
  readonly name: string;
  readonly facts: TableFacts;
  readonly links: readonly Link[];
}

interface Constraint {
  readonly table: number;
  readonly name: string;
  readonly parent: { readonly schema: string; readonly name: string };
  readonly columns: readonly string[];
  readonly parentColumns: readonly string[];
  /** MATCH FULL: columns are all NULL, or none is. */
  readonly full: boolean;
}

/** Copies of a partitioned table's constraints on its partitions stand under it; those of periods are not compared by "=". */
const CONSTRAINTS = `
  SELECT k.conrelid AS "table", k.conname::text AS name, json_build_object('schema', n.nspname, 'name', c.relname) AS parent,
         k.confmatchtype = 'f' AS "full",
         ARRAY (SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
                  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY place) AS columns,
         ARRAY (SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
                  JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY place) AS "parentColumns"
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY ($1::oid[])
     AND NOT coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false)
   ORDER BY k.conrelid, k.conname`;

/** One finding a constraint, passed or not. A link's tenant is told from others; a row of nobody's is nobody's concern here. */
export const foreignKeyFindings = async (
  client: Client,
  tables: readonly CheckedTable[],
  signal: AbortSignal,
): Promise<Finding[]> => {
  const byOid = new Map(tables.map((table) => [table.facts.oid, table]));
  const findings: Finding[] = [];
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  await client.query('SET LOCAL statement_timeout = 0');
  const { rows } = await client.query<Constraint>(CONSTRAINTS, [[...byOid.keys()]]);
  for (const constraint of rows) {
    signal.throwIfAborted();
    const table = byOid.get(constraint.table)!;
    const { rows: counted } = await client.query<{ orphans: string }>(orphansSql(constraint, table));
    findings.push(finding(constraint, table, Number(counted[0]?.orphans ?? 0)));
  }
  await client.query('COMMIT');
  return findings;
};

const orphansSql = (constraint: Constraint, { facts, links }: CheckedTable): string => {
  const { columns, parentColumns, parent, full } = constraint;
  const set = columns.map((column) => `c.${ident(column)} IS NOT NULL`).join(full ? ' OR ' : ' AND ');
  const match = columns
    .map((column, at) => `p.${ident(parentColumns[at]!)} = c.${ident(column)}`)
    .join(' AND ');
  const scopes = links.map(({ scope }) => scope);
  const [first] = scopes;
  const tenants =
    first?.kind === 'column'
      ? ` AND c.${ident(columnThere(facts, first.column))}::text IN (${scopes.map((scope) => (scope.kind === 'column' ? literal(scope.value) : 'NULL')).join(', ')})`
      : '';
  return (
    `SELECT count(*) AS orphans FROM ${rowsOf(facts)} AS c WHERE (${set})${tenants}` +
    ` AND NOT EXISTS (SELECT FROM ${qualified(parent)} AS p WHERE ${match})`
  );
};

const finding = ({ name, parent }: Constraint, { facts }: CheckedTable, orphans: number): Finding => ({
  check: 'foreign-keys-hold',
  subject: `${tableName(facts)} (${name})`,
  verdict: orphans === 0 ? 'pass' : 'fail',
  severity: orphans === 0 ? 'info' : 'warn',
  seen:
    orphans === 0
      ? `every row points to a row of ${tableName(parent)}`
      : `${orphans} ${orphans === 1 ? 'row points' : 'rows point'} to no row of ${tableName(parent)}`,
  ...(orphans === 0
    ? {}
    : {
        remedy: `carry ${tableName(parent)} in the same rule, or find out who changes it on the target`,
        code: 'XC-5343',
      }),
});
