/**
 * Whether a table is, when a chunk of it was read, what the copy takes it for. COPY reads the columns of now under the
 * snapshot of then; a rewrite (ALTER TABLE … TYPE) even hides all rows from an older snapshot (PostgreSQL documentation,
 * "Caveats" of MVCC), so that a chunk would come out empty and nothing would ever send its rows.
 */

import { XcError } from '../../../core/errors/xc-error.ts';
import { tableName, type Catalogue, type TableFacts } from '../../../core/topology/table.ts';

export interface Standing {
  /** Run under the snapshot, after the read, which holds the table until its transaction ends: a row where it does. */
  readonly files: string;
  /** Run behind that transaction, in one that sees what is there now. */
  readonly columns: string;
  /** What `columns` gives as long as nothing moved. */
  readonly wanted: string;
  readonly table: string;
}

export const standingOf = (table: TableFacts, { tables }: Catalogue): Standing => {
  const stored = [table, ...table.leaves.flatMap((leaf) => tables.get(leaf) ?? [])].map(({ oid }) => oid);
  return {
    table: tableName(table),
    // The catalogue's row is of the snapshot, the function looks at what is there now.
    files: `SELECT 'files' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
              WHERE c.oid IN (${stored.join(', ')}) AND c.relfilenode <> pg_catalog.pg_relation_filenode(c.oid))`,
    columns: `SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', attnum, atttypid::int8, atttypmod, attname), E'\\n' ORDER BY attnum)
                FROM pg_catalog.pg_attribute WHERE attrelid = ${table.oid} AND attnum > 0 AND NOT attisdropped`,
    wanted: table.columns
      .toSorted((a, b) => a.number - b.number)
      .map(({ number, typeOid, typeModifier, name }) => `${number} ${typeOid} ${typeModifier} ${name}`)
      .join('\n'),
  };
};

/**
 * @param rows of `files` and `columns`, in one answer
 * @throws XcError XC-5207: the copy goes on under a snapshot and catalogues of then
 */
export const expectStanding = (
  { table, wanted }: Standing,
  rows: readonly (readonly (string | null)[])[],
): void => {
  const isOfSnapshot = rows[0]?.[0] === 'files';
  const columns = rows.at(-1)?.[0] ?? '';
  if (isOfSnapshot && columns === wanted) return;
  throw new XcError('XC-5207', {
    subject: table,
    why: isOfSnapshot
      ? 'its columns were altered while it was copied'
      : 'its rows were written anew while it was copied',
  });
};
