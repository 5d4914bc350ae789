/** SQL identifiers and literals, quoted always: a name that needs no quotes today may be a keyword tomorrow. */

import { NEEDS_QUOTES } from '../../core/topology/table-name.ts';

export const ident = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const literal = (text: string): string =>
  text.includes('\\')
    ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`;

/** Rows of the table alone: its children by inheritance are tables of their own; partitions are not. */
export const rowsOf = (table: {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'r' | 'p';
}): string => (table.kind === 'p' ? qualified(table) : `ONLY ${qualified(table)}`);

export const qualified = (table: { readonly schema: string; readonly name: string }): string =>
  `${ident(table.schema)}.${ident(table.name)}`;

/** The name of a table as tableName() writes it. */
export const tableNameSql = (schema: string, name: string): string =>
  [schema, name]
    .map(
      (each) =>
        `CASE WHEN ${each} ~ '${NEEDS_QUOTES}' THEN '"' || replace(${each}, '"', '""') || '"' ELSE ${each} END`,
    )
    .join(` || '.' || `);
