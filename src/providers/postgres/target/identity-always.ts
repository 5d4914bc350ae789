/**
 * Columns that are GENERATED ALWAYS AS IDENTITY: an UPDATE cannot set them, an INSERT can. A row whose value changed at
 * the source is therefore replaced, with everything that the target alone keeps in it.
 */

import { ident } from '../quote.ts';
import type { TargetTable } from './target-table.ts';

/** Positions of such columns that an update of the row could change. */
export const alwaysChanged = (
  table: TargetTable,
  unchanged: ReadonlySet<number>,
  withKey: boolean,
): number[] =>
  table.columns.flatMap((column, index) =>
    column.identityAlways && !unchanged.has(index) && (withKey || !table.key.includes(index)) ? [index] : [],
  );

/** For a set of updates: a row whose identity differs counts as one that is not there, and sends the batch row by row. */
export const sameIdentity = (table: TargetTable, unchanged: ReadonlySet<number>): string =>
  alwaysChanged(table, unchanged, false)
    .map((index) => ident(table.columns[index]!.name))
    .map((name) => ` AND t.${name} = s.${name}`)
    .join('');

/**
 * Parameters: the fields that are not unchanged, in order, then the key of the old row. The row is deleted before it is
 * inserted, because the insert reads what the delete returns.
 * @param match the condition that finds the row, its parameters after the fields
 */
export const rowReplaceSql = (
  table: TargetTable,
  unchanged: ReadonlySet<number>,
  match: (after: number) => string,
): { sql: string; fields: number[] } => {
  const fields = table.columns.flatMap((_, index) => (unchanged.has(index) ? [] : [index]));
  const names = [...table.columns.map((column) => ident(column.name)), ...table.own.map(ident)];
  const values = [
    ...table.columns.map(({ name }, index) =>
      unchanged.has(index) ? `o.${ident(name)}` : `$${fields.indexOf(index) + 1}`,
    ),
    ...table.own.map((name) => `o.${ident(name)}`),
  ];
  const sql =
    `WITH o AS (DELETE FROM ${table.sql} AS t WHERE ${match(fields.length)} RETURNING t.*)` +
    ` INSERT INTO ${table.copySql} (${names.join(', ')}) OVERRIDING SYSTEM VALUE SELECT ${values.join(', ')} FROM o`;
  return { sql, fields };
};
