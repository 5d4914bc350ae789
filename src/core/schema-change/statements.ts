/**
 * Statements that give a target what a change of the source's schema asks of it, exact enough to be pasted, and those of
 * `ddl: additive` to be run. Additive is what takes nothing away, reads and rewrites no row, and cannot give a row
 * another value than it has at the source.
 */

import { splitTable } from '../topology/table-name.ts';
import { quoteLiteral, quoteName, quoteTable } from '../topology/quote.ts';
import { targetColumn, targetTable, type NameMap } from '../topology/mapping.ts';
import type { TableDifference } from '../validation/schema-diff.ts';
import {
  ownName,
  tableName,
  type ColumnFacts,
  type TableFacts,
  type TableName,
  type TypeFacts,
} from '../topology/table.ts';

export interface Statements {
  readonly sql: readonly string[];
  readonly additive: boolean;
}

interface Named {
  readonly schema: string;
  readonly name: string;
}

/**
 * Rows that are older than the column have one value at the source (pg_attribute.attmissingval), which is what the
 * default was when the column was added: `DEFAULT now()` would give the target another one. So the value itself is the
 * default while the column is added, and the default that the source has now comes after it.
 * @param called what the target calls it
 * @param fill false where older rows may not have that value on the target: policies treat it differently
 */
export const addColumn = (
  table: Named,
  column: ColumnFacts,
  called = column.name,
  fill = true,
): Statements => {
  const name = quoteName(called);
  const alter = `ALTER TABLE ${quoteTable(table)}`;
  const value =
    fill && column.filled !== undefined ? `${quoteLiteral(column.filled)}::${column.typeName}` : null;
  const definition = [
    column.typeName,
    ...(column.collation === null ? [] : [`COLLATE ${column.collation}`]),
    ...(value === null ? [] : [`DEFAULT ${value}`]),
    // Rows that are already there need a value first; where theirs come later, so does NOT NULL.
    ...(value !== null && column.notNull ? ['NOT NULL'] : []),
  ].join(' ');
  const sql = [`${alter} ADD COLUMN ${name} ${definition};`];
  const later = laterDefault(column);
  if (later !== null && !isSame(later, column, value))
    sql.push(`${alter} ALTER COLUMN ${name} SET DEFAULT ${later};`);
  if (later === null && value !== null) sql.push(`${alter} ALTER COLUMN ${name} DROP DEFAULT;`);
  return { sql, additive: isAdditive(column, fill) };
};

/** A default that is there without one value for all older rows was volatile, or was set later: rows may have any value. */
const isAdditive = (column: ColumnFacts, fill: boolean): boolean =>
  column.filled === undefined ? column.default === null && column.identity === 'none' : fill;

/** What numbers the source's rows would number the target's, too, and its sequence may not even be there. */
const laterDefault = (column: ColumnFacts): string | null =>
  column.default === null || /\bnextval\(/.test(column.default) ? null : column.default;

const isSame = (later: string, column: ColumnFacts, value: string | null): boolean =>
  value !== null && (later === value || later === column.filled);

export const renameColumn = (table: Named, from: string, to: string): Statements => ({
  sql: [`ALTER TABLE ${quoteTable(table)} RENAME COLUMN ${quoteName(from)} TO ${quoteName(to)};`],
  additive: false,
});

/** A table that was renamed, or that went to another schema, or both. */
export const renameTable = (from: Named, to: Named): Statements => {
  const sql: string[] = [];
  if (from.name !== to.name) sql.push(`ALTER TABLE ${quoteTable(from)} RENAME TO ${quoteName(to.name)};`);
  if (from.schema !== to.schema)
    sql.push(`ALTER TABLE ${quoteTable({ ...from, name: to.name })} SET SCHEMA ${quoteName(to.schema)};`);
  return { sql, additive: false };
};

const VARCHAR = /^character varying\((\d+)\)$/;

/** Only what PostgreSQL does without reading a row (ATColumnChangeRequiresRewrite in tablecmds.c). */
const widensInPlace = (from: string, to: string): boolean => {
  const [narrow, wide] = [VARCHAR.exec(from), VARCHAR.exec(to)];
  if (!narrow) return false;
  return (
    to === 'text' || to === 'character varying' || (wide !== null && Number(wide[1]) >= Number(narrow[1]))
  );
};

const isNumber = (type: string): boolean =>
  /^(smallint|integer|bigint|real|double precision|numeric(\(.*\))?)$/.test(type);

/** What a column's type asks of the target: another type, or that type made as the source's is; null where nothing simple does. */
export const mendType = (
  table: Named,
  { column, target, made }: Extract<TableDifference, { kind: 'type-differs' }>,
): Statements | null => {
  if (made === null) return changeType(table, column, target);
  return addLabels(made.source, made.target) ?? loosenDomain(made.source, made.target);
};

export const changeType = (table: Named, column: ColumnFacts, target: ColumnFacts): Statements => {
  const name = quoteName(ownName(target));
  const alter = `ALTER TABLE ${quoteTable(table)} ALTER COLUMN ${name} TYPE ${column.typeName}`;
  if (widensInPlace(target.typeName, column.typeName)) return { sql: [`${alter};`], additive: true };
  // As the source converted its rows: 0.1 of a real is another double precision than the text "0.1" is.
  if (isNumber(target.typeName) && isNumber(column.typeName)) return { sql: [`${alter};`], additive: false };
  return { sql: [`${alter} USING ${name}::text::${column.typeName};`], additive: false };
};

/** Labels that the target's enum lacks, each at its place; null where that is not all that differs. */
export const addLabels = (source: TypeFacts, target: TypeFacts): Statements | null => {
  if (source.kind !== 'e' || target.kind !== 'e') return null;
  const there = new Set(target.labels);
  const sql: string[] = [];
  for (const [at, label] of source.labels.entries()) {
    if (there.has(label)) continue;
    const before = source.labels[at - 1];
    const after = source.labels.slice(at + 1).find((other) => there.has(other));
    const place =
      before !== undefined && there.has(before)
        ? ` AFTER ${quoteLiteral(before)}`
        : after === undefined
          ? ''
          : ` BEFORE ${quoteLiteral(after)}`;
    sql.push(`ALTER TYPE ${quoteTable(target)} ADD VALUE IF NOT EXISTS ${quoteLiteral(label)}${place};`);
    there.add(label);
  }
  return sql.length === 0 ? null : { sql, additive: true };
};

/** Constraints of the target's domain that the source's has no more; null where that is not what differs. */
const loosenDomain = (source: TypeFacts, target: TypeFacts): Statements | null => {
  if (source.kind !== 'd' || target.kind !== 'd') return null;
  const kept = new Set(Object.values(source.constraints ?? {}));
  const gone = Object.entries(target.constraints ?? {}).filter(([, definition]) => !kept.has(definition));
  const alter = `ALTER DOMAIN ${quoteTable(target)} DROP`;
  const sql = gone.map(([name, definition]) =>
    definition === 'NOT NULL' ? `${alter} NOT NULL;` : `${alter} CONSTRAINT ${quoteName(name)};`,
  );
  return sql.length === 0 ? null : { sql, additive: false };
};

/**
 * A table as replication needs it: columns and what names a row. Without defaults of sequences, foreign keys, triggers,
 * further indexes, comments and grants, which pg_dump --schema-only shows.
 */
export const createTable = (table: TableFacts, map?: NameMap): Statements => {
  const name = (column: string): string => quoteName(targetColumn(map, tableName(table), column));
  const columns = table.columns.map((column) => `  ${name(column.name)} ${fullDefinition(column)}`);
  const key =
    table.primaryKey.length === 0 ? [] : [`  PRIMARY KEY (${table.primaryKey.map(name).join(', ')})`];
  const there = quoteTable(named(targetTable(map, tableName(table))));
  return {
    sql: [`CREATE TABLE IF NOT EXISTS ${there} (\n${[...columns, ...key].join(',\n')}\n);`],
    additive: table.kind === 'r',
  };
};

/** schema.table in its parts. */
export const named = (table: TableName): Named => {
  return splitTable(table);
};

const fullDefinition = (column: ColumnFacts): string => {
  const later = laterDefault(column);
  return [
    column.typeName,
    ...(column.collation === null ? [] : [`COLLATE ${column.collation}`]),
    ...(column.generated === 'none'
      ? later === null
        ? []
        : [`DEFAULT ${later}`]
      : [`GENERATED ALWAYS AS (${column.default ?? ''}) ${column.generated.toUpperCase()}`]),
    ...(column.notNull ? ['NOT NULL'] : []),
  ].join(' ');
};
