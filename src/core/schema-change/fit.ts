/**
 * What the target of a table lacks for the rows that its source sends now, each with the exact statements. It is judged
 * by the same comparison as precheck makes, for the columns that are sent.
 */

import { observeDifference } from '../validation/checks/table/columns.ts';
import { diffTables, type TableDifference } from '../validation/schema-diff.ts';
import { targetColumn, type NameMap } from '../topology/mapping.ts';
import { ownName, tableName, type ColumnFacts, type TableFacts, type TypeFacts } from '../topology/table.ts';
import type { TableShape } from './shape.ts';
import { addColumn, mendType, renameColumn, type Statements } from './statements.ts';

export interface Misfit extends Statements {
  readonly code: 'XC-5202' | 'XC-5220' | 'XC-5221';
  /** Table and column. */
  readonly subject: string;
  readonly why: string;
}

export interface FitSide {
  readonly table: TableFacts;
  readonly types: ReadonlyMap<number, TypeFacts>;
}

export interface Sent {
  /** Columns of the source that reach the target, by their names of now, as the relation has them: by type. */
  readonly columns: ReadonlyMap<string, { readonly typeOid: number }>;
  /** Columns that no link brings to the target. */
  readonly dropped: ReadonlySet<string>;
  /** Columns that some links bring there as they are, and others not, or changed: no one value fits all older rows. */
  readonly mixed: ReadonlySet<string>;
  /** What the rule calls things on the target. */
  readonly map: NameMap | undefined;
}

/** @param noted what was noted of the source's table, for the names that columns had before */
export const misfits = (
  source: FitSide,
  target: FitSide,
  sent: Sent,
  noted: TableShape | undefined,
): Misfit[] =>
  diffTables(source, target, sent.dropped).flatMap((difference) => {
    const misfit = misfitOf(difference, source, target, sent, noted);
    return misfit ? [misfit] : [];
  });

const misfitOf = (
  difference: TableDifference,
  source: FitSide,
  target: FitSide,
  sent: Sent,
  noted: TableShape | undefined,
): Misfit | null => {
  const { column } = difference;
  const subject = `${tableName(source.table)}.${column.name}`;
  switch (difference.kind) {
    case 'missing-column':
      return sent.columns.has(column.name) ? missing(column, subject, source, target, sent, noted) : null;
    case 'type-differs': {
      // A message from before the type was changed has values of the type of then.
      const now = sent.columns.get(column.name)?.typeOid === column.typeOid;
      return now && !difference.widening ? retyped(difference, subject, target.table) : null;
    }
    case 'extra-required-column':
    case 'target-not-null':
    case 'target-generated': {
      const { seen, remedy } = observeDifference(difference, source.table, target.table, sent.map);
      return {
        code: 'XC-5202',
        subject,
        why: seen,
        sql: remedy === undefined ? [] : [remedy],
        additive: false,
      };
    }
    case 'extra-column':
    case 'source-generated':
    case 'expression-differs':
    case 'collation-differs':
      return null;
  }
};

const missing = (
  column: ColumnFacts,
  subject: string,
  source: FitSide,
  target: FitSide,
  sent: Sent,
  noted: TableShape | undefined,
): Misfit => {
  const former = formerName(column, source.table, target.table, noted);
  const called = targetColumn(sent.map, tableName(source.table), column.name);
  if (former !== null)
    return {
      code: 'XC-5220',
      subject,
      why: `the source calls it so now; the target still calls it "${former}"`,
      ...renameColumn(target.table, former, called),
    };
  return {
    code: 'XC-5202',
    subject,
    why: 'the source sends it, and the target has no such column',
    ...addColumn(target.table, column, called, !sent.mixed.has(column.name)),
  };
};

/** What the target still calls the column: a name that it had before, and that nothing at the source has now. */
export const formerName = (
  column: ColumnFacts,
  source: TableFacts,
  target: TableFacts,
  noted: Pick<TableShape, 'columns'> | undefined,
): string | null => {
  const note = noted?.columns[String(column.number)];
  if (!note) return null;
  const names = new Set([...note.formerly, note.name]);
  const found = target.columns.findLast(
    ({ name }) => names.has(name) && !source.columns.some((other) => other.name === name),
  );
  return found ? ownName(found) : null;
};

const retyped = (
  difference: Extract<TableDifference, { kind: 'type-differs' }>,
  subject: string,
  table: TableFacts,
): Misfit => {
  const { why, made } = difference;
  // Two enums of one name differ by labels.
  const code = made?.source.kind === 'e' && made.target.kind === 'e' ? 'XC-5221' : 'XC-5202';
  return { code, subject, why, ...(mendType(table, difference) ?? { sql: [], additive: false }) };
};
