/** Which tables a link carries, and by which column its tenant's rows are told from others'. */

import { XcError } from '../errors/xc-error.ts';
import type { Link } from '../topology/link.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import type { Catalogue, TableFacts } from '../topology/table.ts';
import { tableName } from '../topology/table.ts';

/**
 * Tables of the source that the link's rule and its tenant's scope name, in order of their names. Leaves are carried by
 * their partitioned table; what logical replication cannot carry (unlogged, temporary) is left to the checks to name.
 * @param only of these alone, whatever else the rule names by now
 * @throws XcError XC-2010 for one that lacks the tenant's column
 */
export const tablesOf = (
  link: Link,
  source: Catalogue,
  only: (table: TableFacts) => boolean = () => true,
): TableFacts[] => {
  const tables = namedTables(link, source).filter(only);
  const unscoped = tables.filter((table) => !hasScopeColumn(link, table)).map(tableName);
  if (unscoped.length > 0)
    throw new XcError('XC-2010', {
      subject: unscoped.join(', '),
      why: `link ${link.id} scopes rows by a column that is not there`,
      facts: { link: link.id, tables: unscoped },
    });
  return tables.toSorted((a, b) => (tableName(a) < tableName(b) ? -1 : 1));
};

/** The same, with tables that lack the tenant's column: none of them has rows that are the link's. */
export const namedTables = (link: Link, source: Catalogue): TableFacts[] =>
  [...source.tables.values()]
    .filter((table) => !table.isPartition && table.persistence === 'permanent')
    .filter((table) => table.schema !== 'xcrepl')
    .filter((table) => matchesPatterns(link.rule.tables ?? [], tableName(table)))
    .filter((table) => link.scope.kind !== 'schema' || table.schema === link.scope.schema);

const hasScopeColumn = ({ scope }: Link, table: TableFacts): boolean =>
  scope.kind !== 'column' || table.columns.some((column) => column.name === scope.column);

/** Column and value that filter the link's rows; null where the table is the tenant's as a whole. */
export const rowScope = ({ scope }: Link): { column: string; value: string } | null =>
  scope.kind === 'column' ? { column: scope.column, value: scope.value } : null;
