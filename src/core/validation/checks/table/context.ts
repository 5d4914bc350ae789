/** What a check of one table gets: the table on both sides with everything that names it. */

import { isDropped } from '../../../topology/left-out.ts';
import type { Link } from '../../../topology/link.ts';
import type { Catalogue, SequenceFacts, TableFacts, TableName } from '../../../topology/table.ts';
import { tableName } from '../../../topology/table.ts';
import type { Finding } from '../../finding.ts';

export interface TableContext {
  readonly source: TableFacts;
  /** Undefined where the target has no table of the name. */
  readonly target: TableFacts | undefined;
  /** All links between these two databases that carry the table; at least one. */
  readonly links: readonly Link[];
  readonly sourceRegion: string;
  readonly targetRegion: string;
  readonly sourceCatalogue: Catalogue;
  readonly targetCatalogue: Catalogue;
  readonly scopes: RowScopes;
  /** Names of all tables that any link between the two databases carries. */
  readonly inScope: ReadonlySet<TableName>;
  /** The source's sequences that this table owns. */
  readonly sequences: readonly SequenceFacts[];
  /** schema.name of every sequence of the target. */
  readonly targetSequences: ReadonlySet<string>;
}

/** A check is a pure function with a stable name. What it returns is what stood out; nothing means that all is well. */
export interface TableCheck {
  readonly name: string;
  readonly run: (context: TableContext) => readonly Observation[];
}

/** A finding without what the check's frame knows: its name, and by default the table and that it failed. */
export interface Observation extends Partial<Pick<Finding, 'subject' | 'verdict'>> {
  readonly on: 'source' | 'target';
  readonly severity: Finding['severity'];
  readonly seen: string;
  readonly remedy?: string;
  readonly code?: string;
}

export const toFinding = (check: TableCheck, context: TableContext, observation: Observation): Finding => {
  const { on, ...rest } = observation;
  return {
    check: check.name,
    region: on === 'source' ? context.sourceRegion : context.targetRegion,
    subject: tableName(context.source),
    verdict: 'fail',
    ...rest,
  };
};

/** How the links that carry a table tell their tenants' rows apart. */
export interface RowScopes {
  /** Columns, in order; empty where every link carries whole tables. */
  readonly columns: readonly string[];
  /** Tenants' values by column. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** Ways among the links that share a stream: a column's name, or "" for whole tables. */
  readonly sharedWays: readonly string[];
}

export const rowScopes = (links: readonly Link[]): RowScopes => {
  const values = new Map<string, string[]>();
  for (const { scope } of links) {
    if (scope.kind !== 'column') continue;
    const known = values.get(scope.column);
    if (known) known.push(scope.value);
    else values.set(scope.column, [scope.value]);
  }
  const shared = links.filter((link) => !link.rule.dedicated);
  return {
    columns: [...values.keys()].toSorted(),
    values,
    sharedWays: [...new Set(shared.map(({ scope }) => (scope.kind === 'column' ? scope.column : '')))],
  };
};

/** Columns that every link drops: they are not sent at all. */
export const droppedByAll = (context: TableContext): ReadonlySet<string> => {
  const name = tableName(context.source);
  const byAll = (column: string): boolean => context.links.every((link) => isDropped(link, name, column));
  return new Set(context.source.columns.map((column) => column.name).filter(byAll));
};

/** Tables that hold the rows: the table itself, or its leaves. A foreign table among the leaves has no facts. */
export const storedTables = (context: TableContext): readonly TableFacts[] =>
  context.source.kind === 'r'
    ? [context.source]
    : context.source.leaves.flatMap((leaf) => context.sourceCatalogue.tables.get(leaf) ?? []);

/** Every table at this name that the rows of a change are found by key in, past its own identity. */
export const hasKeyOver = (table: TableFacts, columns: readonly string[]): boolean =>
  table.indexes.some(
    (index) =>
      index.unique &&
      index.valid &&
      index.immediate &&
      !index.partialOrExpression &&
      index.columns.length === columns.length &&
      index.columns.every((column) => columns.includes(column)),
  );
