/** Sequences of the schemas in scope, and those that tables in scope own, with the last value that was given out. */

import type { Client } from 'pg';
import { tableName, type SequenceFacts } from '../../../core/topology/table.ts';

interface SequenceRow {
  readonly schema: string;
  readonly name: string;
  readonly table_schema: string | null;
  readonly table_name: string | null;
  readonly column_name: string | null;
  readonly last_value: string | null;
  readonly increment: string;
}

/**
 * A last value that the role may not read is null, as is one of a sequence that was never used. Dependency "a" is
 * OWNED BY (serial), "i" an identity column: PostgreSQL documentation, 52.18 pg_depend.
 */
const SEQUENCES = `
  SELECT n.nspname::text AS schema, c.relname::text AS name, tn.nspname::text AS table_schema,
         t.relname::text AS table_name, a.attname::text AS column_name, s.seqincrement::text AS increment,
         CASE WHEN has_sequence_privilege(c.oid, 'SELECT,USAGE') THEN pg_sequence_last_value(c.oid)::text END
           AS last_value
    FROM pg_sequence s
    JOIN pg_class c ON c.oid = s.seqrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
                         AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
    LEFT JOIN pg_class t ON t.oid = d.refobjid
    LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
   WHERE c.relpersistence <> 't' AND (t.oid = ANY ($1::oid[]) OR n.nspname = ANY ($2::text[]))
     AND n.nspname <> 'xcrepl'
   ORDER BY 1, 2`;

export const readSequences = async (
  client: Client,
  oids: readonly number[],
  schemas: readonly string[],
): Promise<SequenceFacts[]> => {
  const { rows } = await client.query<SequenceRow>(SEQUENCES, [oids, schemas]);
  return rows.map((row) => ({
    schema: row.schema,
    name: row.name,
    ownedBy: ownerOf(row),
    lastValue: row.last_value,
    increment: row.increment,
  }));
};

const ownerOf = ({ table_schema: schema, table_name: name, column_name: column }: SequenceRow) =>
  schema === null || name === null || column === null ? null : { table: tableName({ schema, name }), column };
