/** What is compared: a table with its links, and from the catalogues of both sides to that. */

import { XcError } from '../../../core/errors/xc-error.ts';
import type { ColumnAction } from '../../../core/policy/column-action.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { ColumnFacts, TableFacts, TableName, TypeFacts } from '../../../core/topology/table.ts';
import { columnThere } from '../../../core/topology/target-view.ts';
import { ownName, tableName } from '../../../core/topology/table.ts';

import { shapeOf, type TypeShape } from './type-shape.ts';

export type SideName = 'source' | 'target';

/** A column's type on one side, after every domain. */
export interface ValueType {
  /** What this side calls the column. */
  readonly column: string;
  readonly schema: string;
  readonly name: string;
  /** Explicit collation as the catalogue prints it, or null for the default of type or database. */
  readonly collation: string | null;
  readonly notNull: boolean;
  /** Of the same type, with what it is made of. */
  readonly shape: TypeShape;
}

export interface ComparedColumn {
  readonly name: string;
  readonly source: ValueType;
  readonly target: ValueType;
  /** allow, hash or mask; dropped columns are not compared. */
  readonly action: ColumnAction;
}

export interface VerifyLink {
  readonly link: LinkId;
  /** Rows of the link on both sides; null for the whole table. */
  readonly scope: { readonly column: string; readonly value: string } | null;
  readonly columns: readonly ComparedColumn[];
}

export interface TableSide {
  readonly schema: string;
  readonly name: string;
  readonly partitioned: boolean;
  /** What this side calls the column of the window; null without one. */
  readonly windowColumn: string | null;
}

export interface VerifyTable {
  /** Name in reports: the source's. */
  readonly table: TableName;
  readonly source: TableSide;
  readonly target: TableSide;
  /** Compared columns that identify a row; empty for a table without key, which is compared as a multiset. */
  readonly keyColumns: readonly string[];
  /** -1 when not known. */
  readonly estimatedRows: number;
  readonly links: readonly VerifyLink[];
  /** Only rows whose time is at or after `from` and before `to`; null is open. */
  readonly window: Window | null;
}

export interface Window {
  readonly column: string;
  readonly from: string | null;
  readonly to: string | null;
}

export interface CatalogueTable {
  readonly facts: TableFacts;
  readonly types: ReadonlyMap<number, TypeFacts>;
}

export interface LinkPolicy {
  readonly link: LinkId;
  readonly scope: { readonly column: string; readonly value: string } | null;
  /** By column name, as compiled by the row policy; a column that is not in it is allowed. */
  readonly actions: ReadonlyMap<string, ColumnAction>;
}

/**
 * Every column that a link carries is compared. Generated columns are not carried, virtual ones are not even stored;
 * extra columns of the target are its own.
 * @throws XcError XC-5103 when the target lacks a carried column, or a link's tenant column is missing
 */
export const tableToVerify = (
  source: CatalogueTable,
  target: CatalogueTable,
  links: readonly LinkPolicy[],
  window: Window | null = null,
): VerifyTable => {
  const table = tableName(source.facts);
  const keys = keyOf(source.facts);
  const dropped = (name: string): boolean => links.some((link) => link.actions.get(name)?.kind === 'drop');
  return {
    table,
    source: sideOf(source.facts, window),
    target: sideOf(target.facts, window),
    keyColumns: keys.some(dropped) ? [] : keys,
    estimatedRows: source.facts.estimatedRows,
    links: links.map((link) => linkOf(table, source, target, link)),
    window,
  };
};

const linkOf = (
  table: TableName,
  source: CatalogueTable,
  target: CatalogueTable,
  { link, scope, actions }: LinkPolicy,
): VerifyLink => {
  const onTarget = new Map(target.facts.columns.map((column) => [column.name, column]));
  const columns: ComparedColumn[] = [];
  for (const column of source.facts.columns) {
    const action = actions.get(column.name) ?? { kind: 'allow' };
    if (column.generated !== 'none' || action.kind === 'drop') continue;
    const twin = onTarget.get(column.name);
    if (!twin)
      throw missing(`${table}.${column.name}`, 'the link carries the column, and the target lacks it');
    columns.push({
      name: column.name,
      source: valueType(column, source.types),
      target: valueType(twin, target.types),
      action,
    });
  }
  if (scope && !columns.some((column) => column.name === scope.column && column.action.kind === 'allow'))
    throw missing(`${table}.${scope.column}`, `rows of link ${link} are told apart by this column`);
  return { link, scope, columns };
};

const missing = (subject: string, why: string): XcError => new XcError('XC-5103', { subject, why });

/** The primary key, or the index that is the replica identity. */
const keyOf = (facts: TableFacts): readonly string[] => {
  if (facts.primaryKey.length > 0) return facts.primaryKey;
  return facts.identity === 'index' ? facts.identityColumns : [];
};

const sideOf = (facts: TableFacts, window: Window | null): TableSide => ({
  schema: facts.schema,
  name: facts.name,
  partitioned: facts.kind === 'p',
  windowColumn: window && columnThere(facts, window.column),
});

const valueType = (column: ColumnFacts, types: ReadonlyMap<number, TypeFacts>): ValueType => {
  const shape = shapeOf(column.typeOid, types, column.typeName);
  const { schema, name } = shape;
  return {
    column: ownName(column),
    schema,
    name,
    collation: column.collation,
    notNull: column.notNull,
    shape,
  };
};
