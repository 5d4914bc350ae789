/** Which tables the links name, and what is wrong with the naming itself. */

import type { Link } from '../../../topology/link.ts';
import { matchesPatterns } from '../../../topology/pattern.ts';
import { tableName, type Catalogue, type TableFacts } from '../../../topology/table.ts';
import type { Finding } from '../../finding.ts';

const EXCLUDED_SCHEMAS = new Set(['xcrepl', 'pg_catalog', 'information_schema']);

/** Tables of the source that the link's rule and its tenant's scope name; leaves travel with their root. */
export const tablesInScope = (link: Link, source: Catalogue): TableFacts[] =>
  named(link, source).filter((table) => !table.isPartition);

const named = (link: Link, source: Catalogue): TableFacts[] =>
  [...source.tables.values()].filter(
    (table) =>
      !EXCLUDED_SCHEMAS.has(table.schema) &&
      matchesPatterns(link.rule.tables ?? [], tableName(table)) &&
      (link.scope.kind !== 'schema' || table.schema === link.scope.schema),
  );

/** Links with the same key name the same tables. */
export const scopeKey = (link: Link): string =>
  JSON.stringify([link.rule.tables, link.scope.kind === 'schema' ? link.scope.schema : null]);

/** Rules that name nothing on the source, and partitions that a rule names without their root. */
export const checkScope = (links: readonly Link[], source: Catalogue): Finding[] => {
  const byRuleAndSchema = new Map<string, TableFacts[]>();
  const namedBy = (link: Link): TableFacts[] => {
    const key = scopeKey(link);
    const tables = byRuleAndSchema.get(key) ?? named(link, source);
    byRuleAndSchema.set(key, tables);
    return tables;
  };
  return links.flatMap((link) => {
    const tables = namedBy(link);
    if (tables.length === 0) return [nothingNamed(link)];
    if (tables.every((table) => table.persistence !== 'permanent')) return [nothingLogged(link)];
    const roots = tables.filter((table) => table.kind === 'p');
    const covered = new Set(roots.flatMap((root) => [tableName(root), ...root.leaves]));
    return tables
      .filter((table) => table.isPartition && table.kind === 'r' && !covered.has(tableName(table)))
      .map((table) => partitionAlone(link, table));
  });
};

const nothingNamed = (link: Link): Finding => ({
  check: 'tables-in-scope',
  region: link.source,
  subject: link.id,
  verdict: 'fail',
  severity: 'block',
  seen: `no table on the source is named by ${(link.rule.tables ?? []).join(', ')}`,
  remedy: `correct rules.${link.rule.id}.tables, or create the tables`,
  code: 'XC-5313',
});

const nothingLogged = (link: Link): Finding => ({
  check: 'tables-in-scope',
  region: link.source,
  subject: link.id,
  verdict: 'fail',
  severity: 'block',
  seen: `of the tables that ${(link.rule.tables ?? []).join(', ')} names none is logged, so nothing can be carried`,
  remedy: `ALTER TABLE … SET LOGGED, or correct rules.${link.rule.id}.tables`,
  code: 'XC-5322',
});

const partitionAlone = (link: Link, table: TableFacts): Finding => ({
  check: 'tables-in-scope',
  region: link.source,
  subject: tableName(table),
  verdict: 'fail',
  severity: 'block',
  seen: `rule ${link.rule.id} names a partition without its partitioned table; its rows are published under that table's name`,
  remedy: `name the partitioned table in rules.${link.rule.id}.tables`,
  code: 'XC-5318',
});
