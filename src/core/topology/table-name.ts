/**
 * Names of tables as text: schema.table, where a part that a pattern could not name as it stands is in double quotes, as
 * in SQL: a dot, a space, a quote (doubled), `*` or `!`. So a name in a plan, report or error is also the pattern that
 * matches exactly this table, and no two tables have the same name.
 */

import type { TableName } from './table.ts';

/** Also as SQL: tableNameSql in providers/postgres/quote.ts. */
export const NEEDS_QUOTES = String.raw`[.*!" \t\n\r\f\v]`;
const needsQuotes = new RegExp(NEEDS_QUOTES);

const part = (name: string): string => (needsQuotes.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

export const tableName = (table: { readonly schema: string; readonly name: string }): TableName =>
  `${part(table.schema)}.${part(table.name)}`;

/** One part of a name or pattern: literal where it stood in quotes. */
export interface NamePart {
  readonly text: string;
  readonly quoted: boolean;
}

const PARTS = /^(?:"((?:[^"]|"")*)"|([^."]*))\.(?:"((?:[^"]|"")*)"|([^"][^]*|))$/;

/** Null for what is no schema.table. What follows the first dot without quotes is one name, whatever is in it. */
export const splitName = (text: string): readonly [schema: NamePart, table: NamePart] | null => {
  const match = PARTS.exec(text);
  if (!match) return null;
  const [, quotedSchema, schema, quotedTable, table] = match;
  return [partOf(quotedSchema, schema), partOf(quotedTable, table)];
};

const partOf = (quoted: string | undefined, plain: string | undefined): NamePart =>
  quoted === undefined
    ? { text: plain ?? '', quoted: false }
    : { text: quoted.replaceAll('""', '"'), quoted: true };

/** As it stands in a pattern: without quotes where it needs none. */
export const patternPart = ({ text, quoted }: NamePart): string => (quoted ? part(text) : text);

/** The parts of a table's name. */
export const splitTable = (table: TableName): { readonly schema: string; readonly name: string } => {
  const [schema, name] = splitName(table) ?? [];
  return { schema: schema?.text ?? '', name: name?.text ?? '' };
};
