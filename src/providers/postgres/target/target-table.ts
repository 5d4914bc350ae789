/**
 * A table of the target as the applier uses it for one variant of rows: names, types and the statements that they make.
 * Rows travel as one array of the table's own row type, so that a statement takes any number of them and needs no
 * staging table; only key and written columns are filled, the others are NULL and not looked at.
 */

import type { TableRange, Variant } from '../../../core/change/batch.ts';
import { ownName, type TableFacts, type TypeFacts } from '../../../core/topology/table.ts';
import { columnThere } from '../../../core/topology/target-view.ts';
import { ident, qualified, rowsOf } from '../quote.ts';
import { alwaysChanged, rowReplaceSql, sameIdentity } from './identity-always.ts';

/** OIDs that the catalogue of TableFacts does not have: pg_class.reltype and its array type. */
export interface RowType {
  readonly row: number;
  readonly array: number;
}

export interface TargetColumn {
  readonly name: string;
  readonly typeOid: number;
  /** GENERATED ALWAYS AS IDENTITY: cannot be set by UPDATE. */
  readonly identityAlways: boolean;
}

export interface TargetTable {
  /** For UPDATE and DELETE: ONLY the table, not its children by inheritance. */
  readonly sql: string;
  /** For INSERT and COPY. */
  readonly copySql: string;
  readonly rowType: RowType;
  /** Every attribute of the row type in order, with the field of a written row that fills it, or −1. */
  readonly attributes: readonly { readonly typeOid: number; readonly field: number }[];
  /** Written columns, in the order of the row's fields. */
  readonly columns: readonly TargetColumn[];
  /** What the target calls a column of the source. */
  nameOf(column: string): string;
  /** Positions of the key in `columns`; empty where the whole row is the key. */
  readonly key: readonly number[];
  /** A unique index on exactly the key that ON CONFLICT can use. */
  readonly arbiter: boolean;
  /** Some constraint is deferrable: SET CONSTRAINTS ALL DEFERRED helps. */
  readonly deferrable: boolean;
  /** Columns that are not written, nor generated. */
  readonly own: readonly string[];
  /** There are such columns: a changed key must stay an UPDATE. */
  readonly keepsRow: boolean;
  /**
   * Rows must be applied one by one, in order: values that came as text, or types that refuse NULL. Where triggers fire
   * for replicas, rows of other tables must, too, since a trigger may look at any of them.
   */
  readonly ordered: 'nothing' | 'table' | 'batch';
}

export const makeTargetTable = (
  facts: TableFacts,
  types: ReadonlyMap<number, TypeFacts>,
  rowType: RowType,
  variant: Variant,
  textFields: boolean,
): TargetTable => {
  const { plan } = variant;
  const byName = new Map(facts.columns.map((column) => [column.name, column]));
  const fieldOf = new Map(plan.columns.map((name, index) => [name, index]));
  const columns = plan.columns.map((name): TargetColumn => {
    const column = byName.get(name)!;
    return { name: ownName(column), typeOid: column.typeOid, identityAlways: column.identity === 'always' };
  });
  const keyNames = plan.key.map((index) => plan.columns[index] ?? '');
  const unique = facts.indexes.filter(
    (index) => index.unique && index.valid && !index.partialOrExpression && !index.exclusion,
  );
  const own = facts.columns
    .filter((column) => !fieldOf.has(column.name) && column.generated === 'none')
    .map(ownName);
  return {
    sql: rowsOf(facts),
    copySql: qualified(facts),
    rowType,
    attributes: facts.columns.map((column) => ({
      typeOid: column.typeOid,
      field: fieldOf.get(column.name) ?? -1,
    })),
    columns,
    nameOf: (name) => columnThere(facts, name),
    key: plan.key,
    arbiter: unique.some((index) => index.immediate && sameSet(index.columns, keyNames)),
    deferrable: facts.indexes.some((index) => !index.immediate),
    own,
    keepsRow: own.length > 0,
    ordered: facts.triggers.some((trigger) => trigger.enabled === 'A' || trigger.enabled === 'R')
      ? 'batch'
      : textFields ||
          plan.key.length === 0 ||
          facts.columns.some((column) => types.get(column.typeOid)?.strictDomain === true)
        ? 'table'
        : 'nothing',
  };
};

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name) => b.includes(name));

const keyJoin = (table: TargetTable, left: string, right: (index: number) => string): string =>
  table.key.map((index) => `${left}.${ident(table.columns[index]!.name)} = ${right(index)}`).join(' AND ');

/** Columns that an UPDATE sets: written, not part of the key, not unchanged, and settable. */
const settable = (table: TargetTable, unchanged: ReadonlySet<number>, withKey: boolean): number[] =>
  table.columns.flatMap((column, index) =>
    unchanged.has(index) || column.identityAlways || (!withKey && table.key.includes(index)) ? [] : [index],
  );

export const setDeleteSql = (table: TargetTable): string =>
  `DELETE FROM ${table.sql} AS t USING unnest($1) AS s WHERE ${keyJoin(table, 't', (index) => `s.${ident(table.columns[index]!.name)}`)}`;

const expectRows = (from: string): string => `SELECT xcrepl.expect((SELECT count(*) FROM ${from}), $2)`;

/** Up to so many updated rows it costs less to let the statement count them than to look before the commit. */
const COUNTED_ROWS = 32;

/**
 * @returns `counted`: the statement itself fails with XC020 when fewer rows were there than expected ($2), which costs a
 *   quarter of the update but no round trip; else the caller must look at the command tag before it commits
 */
export const setUpdateSql = (
  table: TargetTable,
  unchanged: ReadonlySet<number>,
  rows: number,
): { readonly sql: string; readonly counted: boolean } | null => {
  const set = settable(table, unchanged, false).map((index) => ident(table.columns[index]!.name));
  const same = sameIdentity(table, unchanged);
  if (set.length === 0 && same === '') return null;
  const join = keyJoin(table, 't', (index) => `s.${ident(table.columns[index]!.name)}`) + same;
  if (set.length === 0)
    return { sql: expectRows(`${table.sql} AS t JOIN unnest($1) AS s ON ${join}`), counted: true };
  const update =
    `UPDATE ${table.sql} AS t SET ${set.map((name) => `${name} = s.${name}`).join(', ')}` +
    ` FROM unnest($1) AS s WHERE ${join}`;
  if (rows > COUNTED_ROWS) return { sql: update, counted: false };
  return { sql: `WITH u AS (${update} RETURNING 1) ${expectRows('u')}`, counted: true };
};

export const copySql = (table: TargetTable): string =>
  `COPY ${table.copySql} (${names(table)}) FROM STDIN (FORMAT binary)`;

const names = (table: TargetTable): string => table.columns.map((column) => ident(column.name)).join(', ');

/** Single-row statements: parameter n is field n−1 of the row; key parameters follow where the statement has both. */
export const rowInsertSql = (table: TargetTable): string => {
  const insert = `INSERT INTO ${table.copySql} (${names(table)}) OVERRIDING SYSTEM VALUE`;
  const values = table.columns.map((_, index) => `$${index + 1}`).join(', ');
  if (table.key.length === 0) return `${insert} VALUES (${values})`;
  const set = settable(table, new Set(), false).map(
    (index) => `${ident(table.columns[index]!.name)} = $${index + 1}`,
  );
  const match = keyJoin(table, 't', (index) => `$${index + 1}`);
  if (table.arbiter) {
    const keys = table.key.map((index) => ident(table.columns[index]!.name)).join(', ');
    return `${insert} VALUES (${values}) ON CONFLICT (${keys}) DO ${set.length === 0 ? 'NOTHING' : `UPDATE SET ${set.join(', ')}`}`;
  }
  return set.length === 0
    ? `${insert} SELECT ${values} WHERE NOT EXISTS (SELECT FROM ${table.sql} AS t WHERE ${match})`
    : `WITH u AS (UPDATE ${table.sql} AS t SET ${set.join(', ')} WHERE ${match} RETURNING 1) ${insert} SELECT ${values} WHERE NOT EXISTS (SELECT FROM u)`;
};

/** Parameters: the fields that are set, in order, then the key (of the old row where `withKey`). */
export const rowUpdateSql = (
  table: TargetTable,
  unchanged: ReadonlySet<number>,
  withKey: boolean,
): { sql: string; fields: number[] } | null => {
  if (alwaysChanged(table, unchanged, withKey).length > 0)
    return rowReplaceSql(table, unchanged, (after) => rowMatch(table, after));
  const fields = settable(table, unchanged, withKey);
  if (fields.length === 0) return null;
  const set = fields.map((index, at) => `${ident(table.columns[index]!.name)} = $${at + 1}`).join(', ');
  return { sql: `UPDATE ${table.sql} AS t SET ${set} WHERE ${rowMatch(table, fields.length)}`, fields };
};

export const rowDeleteSql = (table: TargetTable): string =>
  `DELETE FROM ${table.sql} AS t WHERE ${rowMatch(table, 0)}`;

/** The row of the key in parameters `after`+1…; without a key exactly one of the rows that are the same to the byte. */
const rowMatch = (table: TargetTable, after: number): string => {
  if (table.key.length > 0)
    return table.key
      .map((index, at) => `t.${ident(table.columns[index]!.name)} = $${after + at + 1}`)
      .join(' AND ');
  const columns = table.columns.map((column) => `x.${ident(column.name)}`).join(', ');
  const values = table.columns.map((_, at) => `$${after + at + 1}`).join(', ');
  return `(t.tableoid, t.ctid) = (SELECT x.tableoid, x.ctid FROM ${table.sql} AS x WHERE ROW(${columns})::record OPERATOR(pg_catalog.*=) ROW(${values})::record LIMIT 1)`;
};

/**
 * A TRUNCATE of the source, for one link: its rows only, and never another table's. Where a part of the table was copied
 * after it, only the other part goes.
 * @returns the statement, and its parameters as text
 */
export const clearSql = (
  table: TargetTable,
  scope: { readonly column: string; readonly value: string } | null,
  range: TableRange | null,
): { sql: string; values: readonly string[] } => {
  const values: string[] = [];
  const tests: string[] = [];
  const test = (column: string, operator: '=' | '>=' | '<', value: string | null): void => {
    if (value !== null) tests.push(`t.${ident(table.nameOf(column))} ${operator} $${values.push(value)}`);
  };
  if (scope) test(scope.column, '=', scope.value);
  if (range) {
    test(range.column, '>=', range.lower);
    test(range.column, '<', range.upper);
  }
  const where = tests.length === 0 ? '' : ` WHERE ${tests.join(' AND ')}`;
  return { sql: `DELETE FROM ${table.sql} AS t${where}`, values };
};
