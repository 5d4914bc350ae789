/**
 * Everything about tables that can be known before anything is created. precheck prints it, and a plan refuses on it:
 * both ask here, so that neither lets through what the other stops.
 */

import type { Link } from '../../topology/link.ts';
import { tableName, type Catalogue, type TableFacts, type TableName } from '../../topology/table.ts';
import { compareFindings, type Finding } from '../finding.ts';
import { columns, generatedColumns, targetTable } from './table/columns.ts';
import { rowScopes, toFinding, type RowScopes, type TableCheck, type TableContext } from './table/context.ts';
import { replicaIdentity, targetKey } from './table/identity.ts';
import { columnPolicy } from './table/policy.ts';
import { rowFilterIdentity, tenantColumn } from './table/row-filter.ts';
import { rowless } from './table/rowless.ts';
import { checkScope, scopeKey, tablesInScope } from './table/scope.ts';
import { foreignKeys, sequences, triggers } from './table/side-effects.ts';
import { largeObjects, partitions, persistence, rowSecurity } from './table/storage.ts';

/** Adding a check: a file or function of its own in table/, its name here, and a case each way in its test. */
export const TABLE_CHECKS: readonly TableCheck[] = [
  targetTable,
  columns,
  generatedColumns,
  replicaIdentity,
  tenantColumn,
  rowFilterIdentity,
  targetKey,
  columnPolicy,
  persistence,
  rowSecurity,
  partitions,
  triggers,
  foreignKeys,
  sequences,
  largeObjects,
];

export interface TablesToCheck {
  /** All links between these two databases. */
  readonly links: readonly Link[];
  readonly source: Catalogue;
  readonly target: Catalogue;
}

/** What stands out, worst first. Nothing of severity `block` means that the links can be planned. */
export const checkTables = (input: TablesToCheck): Finding[] =>
  [...scopeFindings(input), ...tableFindings(input, false)].toSorted(compareFindings);

/** What of it is about the target: a change log is published nowhere, and its tables are what they were. */
const TARGET_CHECKS: readonly TableCheck[] = [targetTable, columns, targetKey, triggers];

/** The same for links that a change log brings. */
export const checkReplayedTables = (input: TablesToCheck): Finding[] =>
  [...checkScope(input.links, input.source), ...tableFindings(input, false, TARGET_CHECKS)].toSorted(
    compareFindings,
  );

/** The same with a row for every check that passed: what precheck lists. */
export const checkTablesFully = (input: TablesToCheck): Finding[] =>
  [...scopeFindings(input), ...tableFindings(input, true)].toSorted(compareFindings);

const scopeFindings = ({ links, source }: TablesToCheck): Finding[] => [
  ...checkScope(links, source),
  ...rowless(links, source),
];

const tableFindings = (input: TablesToCheck, withPasses: boolean, checks = TABLE_CHECKS): Finding[] =>
  contextsOf(input).flatMap((context) =>
    checks.flatMap((check) => {
      const findings = check.run(context).map((observation) => toFinding(check, context, observation));
      if (findings.some((finding) => finding.verdict !== 'pass') || !withPasses)
        return findings.filter((finding) => finding.verdict !== 'pass' || withPasses);
      return findings.length > 0 ? findings : [passed(check, context)];
    }),
  );

const passed = (check: TableCheck, context: TableContext): Finding => ({
  check: check.name,
  region: context.sourceRegion,
  subject: tableName(context.source),
  verdict: 'pass',
  severity: 'info',
  seen: 'nothing stands in the way',
});

const contextsOf = ({ links, source, target }: TablesToCheck): TableContext[] => {
  const carried = carriers(links, source);
  const inScope = new Set(carried.keys());
  const sequences = Map.groupBy(source.sequences, (sequence) => sequence.ownedBy?.table ?? '');
  const targetSequences = new Set(target.sequences.map(tableName));
  const scopesOf = memo(rowScopes);
  return [...carried].flatMap(([name, { table, links: sharers }]) => {
    const [first] = sharers;
    if (!first) return [];
    return [
      {
        source: table,
        target: target.tables.get(name),
        links: sharers,
        scopes: scopesOf(sharers),
        sourceRegion: first.source,
        targetRegion: first.target,
        sourceCatalogue: source,
        targetCatalogue: target,
        inScope,
        sequences: sequences.get(name) ?? [],
        targetSequences,
      },
    ];
  });
};

/** Most tables are carried by one and the same array of links, which may be long. */
const memo = (compute: typeof rowScopes): typeof rowScopes => {
  const known = new WeakMap<readonly Link[], RowScopes>();
  return (links) => {
    const scopes = known.get(links) ?? compute(links);
    known.set(links, scopes);
    return scopes;
  };
};

interface Carried {
  readonly table: TableFacts;
  readonly links: readonly Link[];
}

/** Links of one rule and schema name the same tables; patterns are matched once for all of them. */
const carriers = (links: readonly Link[], source: Catalogue): Map<TableName, Carried> => {
  const carried = new Map<TableName, Carried>();
  const alike = Map.groupBy(links, scopeKey);
  for (const group of alike.values()) {
    const [first] = group;
    for (const table of first ? tablesInScope(first, source) : []) {
      const before = carried.get(tableName(table))?.links;
      carried.set(tableName(table), { table, links: before ? [...before, ...group] : group });
    }
  }
  return carried;
};
