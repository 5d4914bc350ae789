/**
 * Whether a table may join links that stream already. What stands in its way keeps it out, with the same words that a
 * plan or precheck has for it, and nothing else: whatever runs goes on.
 */

import { isXcError } from '../errors/xc-error.ts';
import { createTable } from '../schema-change/statements.ts';
import type { Link } from '../topology/link.ts';
import { tableName, type Catalogue, type TableFacts, type TableName } from '../topology/table.ts';
import { targetTable } from '../validation/checks/table/columns.ts';
import { checkTables } from '../validation/checks/tables.ts';
import { isBlocking, type Finding } from '../validation/finding.ts';
import type { StreamFacts } from './facts.ts';
import type { Candidate } from './link-table.ts';
import { wantedPublications, type Carried } from './publication.ts';
import { columnStops, residencyVerdict } from './refusals.ts';
import { accessFindings } from './server-findings.ts';
import { cannotJoin, lacking } from './table-findings.ts';

export interface CandidateVerdict {
  readonly admitted: readonly Candidate[];
  /** The target lacks the table, and the run makes it. */
  readonly make: boolean;
  readonly findings: readonly Finding[];
}

type Judge = (table: TableFacts, candidates: readonly Candidate[]) => CandidateVerdict;

export const candidateJudge = (facts: StreamFacts, carried: Carried, hashKeys: readonly string[]): Judge => {
  const access = accessFindings(facts);
  const carriers = carriersOf(carried);
  const { catalogue } = facts.source;
  return (table, candidates) => {
    const name = tableName(table);
    if (candidates.length === 0) return { admitted: [], make: false, findings: [] };
    const lacks = !facts.target.catalogue.tables.has(name);
    const links = candidates.map(({ link }) => link);
    if (lacks && !isMade(table, links))
      return { admitted: [], make: false, findings: [lacking(table, links, facts.target.region)] };
    const alone = { source: only(catalogue, table), target: facts.target.catalogue };
    const obstacles = (those: readonly Link[]): Finding[] => [
      ...access(name),
      ...checkTables({ links: those, ...alone })
        .filter(isBlocking)
        .filter(({ check }) => !lacks || check !== targetTable.name),
      ...those.flatMap((link) => policyObstacles(link, table, catalogue, hashKeys)),
      ...publicationObstacles(table, [...(carriers.get(name) ?? []), ...those]),
    ];
    const found = obstacles(links);
    if (found.length === 0) return { admitted: candidates, make: lacks, findings: [] };
    const kept = candidates.filter(({ link }) => links.length > 1 && obstacles([link]).length === 0);
    const fit = kept.length > 0 && obstacles(kept.map(({ link }) => link)).length === 0;
    return { admitted: fit ? kept : [], make: fit && lacks, findings: [cannotJoin(name, found)] };
  };
};

/** Every link of the table lets the run make it, and what is known of it is enough to do so. */
const isMade = (table: TableFacts, links: readonly Link[]): boolean =>
  links.every(({ rule }) => rule.ddl === 'additive') && createTable(table).additive;

const only = (catalogue: Catalogue, table: TableFacts): Catalogue => ({
  ...catalogue,
  rowless: [],
  sequences: [],
  tables: new Map(
    [tableName(table), ...table.leaves].flatMap((name) => {
      const facts = catalogue.tables.get(name);
      return facts ? [[name, facts] as const] : [];
    }),
  ),
});

const policyObstacles = (
  link: Link,
  table: TableFacts,
  catalogue: Catalogue,
  hashKeys: readonly string[],
): Finding[] => {
  const stops = columnStops(link, [table], catalogue, hashKeys).map(({ column, why, next, code }) =>
    obstacle(`${tableName(table)}.${column}`, `${link.tenant}: ${why ?? code}`, next, code),
  );
  const residency = residencyVerdict(link, [table]);
  return residency.allowed
    ? stops
    : [...stops, obstacle(tableName(table), `${link.id}: ${residency.reason}`, undefined, 'XC-2032')];
};

const publicationObstacles = (table: TableFacts, links: readonly Link[]): Finding[] => {
  try {
    wantedPublications(new Map(links.map((link) => [link, [table]])));
    return [];
  } catch (error) {
    if (!isXcError(error)) throw error;
    return [obstacle(tableName(table), error.why ?? error.message, error.next, error.code)];
  }
};

const obstacle = (subject: string, seen: string, remedy: string | undefined, code: string): Finding => ({
  check: 'table-in-link',
  subject,
  verdict: 'fail',
  severity: 'block',
  seen,
  ...(remedy === undefined ? {} : { remedy }),
  code,
});

const carriersOf = (carried: Carried): ReadonlyMap<TableName, readonly Link[]> => {
  const carriers = new Map<TableName, Link[]>();
  for (const [link, tables] of carried)
    for (const name of tables.map(tableName)) {
      const links = carriers.get(name);
      if (links) links.push(link);
      else carriers.set(name, [link]);
    }
  return carriers;
};
