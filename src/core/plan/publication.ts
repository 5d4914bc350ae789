/**
 * What a stream publishes: for each table the union of its tenants' rows, and no column that every tenant drops
 * (CORRECTNESS 1 to 3). A publication that says more would let another tenant's rows leave the source server; one that
 * asks more of a table than its replica identity gives would make the application's UPDATE fail.
 */

import { XcError } from '../errors/xc-error.ts';
import { isDropped } from '../topology/left-out.ts';
import type { Link } from '../topology/link.ts';
import { insertOnlyPublicationName, publicationName, type StreamKey } from '../topology/link.ts';
import type { TableFacts, TableName } from '../topology/table.ts';
import { tableName } from '../topology/table.ts';
import type { PublicationFacts } from './facts.ts';
import type { PublishedTable } from './plan.ts';
import { filterRemedy } from '../validation/checks/table/row-filter.ts';
import { readRowFilter, sameRowFilter } from './row-filter.ts';
import { rowScope } from './scope.ts';

/** Each link with the tables that it carries. */
export type Carried = ReadonlyMap<Link, readonly TableFacts[]>;

export interface WantedPublications {
  readonly tables: readonly PublishedTable[];
  readonly insertOnly: readonly PublishedTable[];
}

/** @throws XcError XC-2011 when tenants need publications of one table that cannot be one, XC-2013 for the identity */
export const wantedPublications = (carried: Carried): WantedPublications => {
  const byTable = new Map<TableName, { facts: TableFacts; links: Link[] }>();
  for (const [link, tables] of carried)
    for (const facts of tables) {
      const entry = byTable.get(tableName(facts)) ?? { facts, links: [] };
      entry.links.push(link);
      byTable.set(tableName(facts), entry);
    }
  const entries = [...byTable.values()].toSorted((a, b) =>
    tableName(a.facts) < tableName(b.facts) ? -1 : 1,
  );
  refuseFilters(entries);
  return {
    tables: entries
      .filter(({ facts }) => facts.identityColumns.length > 0)
      .map(({ facts, links }) => published(facts, links)),
    insertOnly: entries
      .filter(({ facts }) => facts.identityColumns.length === 0)
      .map(({ facts, links }) => published(facts, links)),
  };
};

const published = (facts: TableFacts, links: readonly Link[]): PublishedTable => ({
  table: tableName(facts),
  filter: unionFilter(tableName(facts), links),
  columns: columnList(facts, links),
});

/** All of them at once: who mends one would otherwise meet the next. */
const refuseFilters = (
  entries: readonly { readonly facts: TableFacts; readonly links: readonly Link[] }[],
): void => {
  const outside = entries.flatMap(({ facts, links }) => {
    const column = unionFilter(tableName(facts), links)?.column;
    return column === undefined ||
      facts.identityColumns.length === 0 ||
      facts.identityColumns.includes(column)
      ? []
      : [{ facts, column }];
  });
  if (outside.length === 0) return;
  throw new XcError('XC-2013', {
    subject: outside.map(({ facts }) => tableName(facts)).join(', '),
    why: outside
      .map(
        ({ facts, column }) =>
          `${tableName(facts)}: "${column}" is outside the replica identity (${facts.identityColumns.join(', ')})`,
      )
      .join('\n'),
    next: outside.map(({ facts, column }) => filterRemedy(facts, column)).join('\n'),
  });
};

const unionFilter = (table: TableName, links: readonly Link[]): PublishedTable['filter'] => {
  const scopes = links.map(rowScope);
  const columns = new Set(scopes.map((scope) => scope?.column ?? null));
  if (columns.size > 1)
    throw new XcError('XC-2011', {
      subject: table,
      why: `tenants ${[...new Set(links.map((link) => link.tenant))].join(', ')} scope it differently`,
    });
  const [column] = columns;
  if (column === null || column === undefined) return null;
  return { column, values: [...new Set(scopes.map((scope) => scope?.value ?? ''))].toSorted() };
};

/** Null unless every tenant drops some column; a table under REPLICA IDENTITY FULL may have no list at all. */
const columnList = (facts: TableFacts, links: readonly Link[]): readonly string[] | null => {
  if (facts.identity === 'full') return null;
  const table = tableName(facts);
  const droppedByAll = (name: string): boolean => links.every((link) => isDropped(link, table, name));
  const columns = facts.columns.filter((column) => column.generated === 'none').map((column) => column.name);
  return columns.some(droppedByAll) ? columns.filter((name) => !droppedByAll(name)) : null;
};

/** Those of this stream, among all of ours in the database. */
export const publicationsOf = (
  key: StreamKey,
  existing: readonly PublicationFacts[],
): readonly PublicationFacts[] =>
  existing.filter(({ name }) => name === publicationName(key) || name === insertOnlyPublicationName(key));

/** Whether the publications of ours on the source say exactly what is wanted. */
export const publicationsMatch = (
  key: StreamKey,
  wanted: WantedPublications,
  existing: readonly PublicationFacts[],
): boolean =>
  matches(
    wanted.tables,
    existing.find(({ name }) => name === publicationName(key)),
  ) &&
  matches(
    wanted.insertOnly,
    existing.find(({ name }) => name === insertOnlyPublicationName(key)),
  );

const matches = (wanted: readonly PublishedTable[], existing: PublicationFacts | undefined): boolean => {
  const present = new Map((existing?.tables ?? []).map((table) => [table.table, table]));
  return (
    present.size === wanted.length &&
    wanted.every((table) => {
      const found = present.get(table.table);
      return (
        found !== undefined &&
        sameRowFilter(found.rowFilter, table.filter) &&
        sameNames(found.columns, table.columns)
      );
    })
  );
};

const sameNames = (a: readonly string[] | null, b: readonly string[] | null): boolean =>
  a === null || b === null ? a === b : JSON.stringify(a.toSorted()) === JSON.stringify(b.toSorted());

/**
 * Whether the publications already carry the table's rows of this link. What they never carried, a running link cannot
 * begin to carry by itself: the rows written before would be missing.
 */
export const alreadyPublished = (
  existing: readonly PublicationFacts[],
): ((link: Link, table: TableName) => boolean) => {
  /** Values of each table's filters; null where all rows are published. Read once, for links by the thousand. */
  const values = new Map<TableName, ReadonlySet<string> | null>();
  for (const { table, rowFilter } of existing.flatMap(({ tables }) => tables)) {
    const filter = rowFilter === null ? null : readRowFilter(rowFilter);
    const before = values.get(table);
    values.set(table, filter && before !== null ? new Set([...(before ?? []), ...filter.values]) : null);
  }
  return (link, table) => {
    const published = values.get(table);
    const scope = rowScope(link);
    return published !== undefined && (published === null || scope === null || published.has(scope.value));
  };
};
