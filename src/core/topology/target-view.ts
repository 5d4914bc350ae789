/**
 * The target's catalogue under the source's names: tables are found, and columns are called, as at the source, while each
 * table keeps its own schema and name for statements, and each column its `ownName`. Whoever compares, compiles or checks
 * speaks of one set of names; `map` of a rule is followed here and nowhere else.
 */

import { XcError } from '../errors/xc-error.ts';
import type { Link } from './link.ts';
import { targetColumn, targetTable, type NameMap } from './mapping.ts';
import type { Catalogue, ColumnFacts, TableFacts, TableName } from './table.ts';

/** By source table: what it is called on the target, and by which rule's map. */
export type Places = ReadonlyMap<TableName, Place>;

export interface Place {
  readonly table: TableName;
  readonly map: NameMap | undefined;
}

/**
 * @param carried each link with the source tables that it carries
 * @returns nothing where no rule calls anything otherwise
 * @throws XcError XC-5270 when two tables would be one, XC-5271 when rules of the stream do not agree about a table
 */
export const placesOf = (
  links: readonly Link[],
  tablesOfLink: (link: Link) => Iterable<TableName>,
): Places => {
  if (links.every(({ rule }) => rule.map === undefined)) return new Map();
  const alike = Map.groupBy(links, ({ rule, scope }) =>
    JSON.stringify([rule.id, scope.kind === 'schema' && scope]),
  );
  const places = new Map<TableName, Place & { readonly rule: string }>();
  const takenBy = new Map<TableName, TableName>();
  for (const [first] of alike.values())
    for (const table of tablesOfLink(first!)) {
      const { rule } = first!;
      const place = targetTable(rule.map, table);
      const known = places.get(table);
      if (known && known.map !== rule.map && differs(table, known, { table: place, map: rule.map }))
        throw new XcError('XC-5271', {
          subject: table,
          why: `rules ${known.rule} and ${rule.id} call it or its columns differently on the target`,
        });
      const other = takenBy.get(place);
      if (other !== undefined && other !== table)
        throw new XcError('XC-5270', { subject: place, why: `${other} and ${table} would both be there` });
      takenBy.set(place, table);
      if (!known) places.set(table, { table: place, map: rule.map, rule: rule.id });
    }
  return places;
};

const differs = (table: TableName, a: Place, b: Place): boolean => {
  const columns = [a.map, b.map].flatMap((map) => Object.keys(map?.columns?.[table] ?? {}));
  return (
    a.table !== b.table ||
    a.map?.case !== b.map?.case ||
    columns.some((name) => targetColumn(a.map, table, name) !== targetColumn(b.map, table, name))
  );
};

/** Names on the target of these tables. */
export const namesThere = (tables: Iterable<TableName>, places: Places): ReadonlySet<TableName> =>
  new Set([...tables].map((table) => places.get(table)?.table ?? table));

/** @throws XcError XC-5270 when two columns of a table would be one */
export const targetView = (target: Catalogue, source: Catalogue, places: Places): Catalogue => {
  if (places.size === 0) return target;
  const sourceOf = new Map([...places].map(([table, place]) => [place.table, table]));
  const tables = new Map<TableName, TableFacts>();
  for (const [name, facts] of target.tables) if (!sourceOf.has(name)) tables.set(name, facts);
  for (const [name, place] of places) {
    const facts = target.tables.get(place.table);
    tables.delete(name);
    if (facts) tables.set(name, viewOf(name, facts, source.tables.get(name), place, sourceOf));
  }
  return { ...target, tables };
};

const viewOf = (
  name: TableName,
  facts: TableFacts,
  source: TableFacts | undefined,
  { map }: Place,
  sourceOf: ReadonlyMap<TableName, TableName>,
): TableFacts => {
  const named = columnNames(name, source?.columns ?? [], map);
  const taken = new Set(named.values());
  // A column of the target's own must not be found under a name that stands for another one.
  const nameOf = (own: string): string => named.get(own) ?? (taken.has(own) ? `${own} (target)` : own);
  const leaves = new Map((source?.leaves ?? []).map((leaf) => [targetTable(map, leaf), leaf]));
  return {
    ...facts,
    columns: facts.columns.map((column) => ({ ...column, name: nameOf(column.name), ownName: column.name })),
    indexes: facts.indexes.map((index) => ({ ...index, columns: index.columns.map(nameOf) })),
    identityColumns: facts.identityColumns.map(nameOf),
    primaryKey: facts.primaryKey.map(nameOf),
    leaves: facts.leaves.map((leaf) => leaves.get(leaf) ?? leaf),
    foreignKeys: facts.foreignKeys.map((key) => ({
      ...key,
      references: sourceOf.get(key.references) ?? key.references,
    })),
  };
};

/** By name on the target. A column of the target's own may not be taken for one of the source's. */
const columnNames = (
  table: TableName,
  columns: readonly ColumnFacts[],
  map: NameMap | undefined,
): ReadonlyMap<string, string> => {
  const named = new Map<string, string>();
  for (const { name } of columns) {
    const own = targetColumn(map, table, name);
    const other = named.get(own);
    if (other !== undefined)
      throw new XcError('XC-5270', {
        subject: `${targetTable(map, table)}.${own}`,
        why: `${table}.${other} and ${table}.${name} would both be there`,
      });
    named.set(own, name);
  }
  return named;
};

/** The column as the table's own server calls it; the name itself where the table has no such column. */
export const columnThere = (table: TableFacts, name: string): string =>
  table.columns.find((column) => column.name === name)?.ownName ?? name;
