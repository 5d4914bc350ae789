/**
 * What the checks say of the tables that a plan carries, told by what it means for links that already run: their stream
 * meets a change of the schema where it stands in the log, applies everything before it, and stops there with what the
 * target lacks. So for them it is a warning, and only a link that is still to be copied is refused.
 */

import type { Link, LinkId } from '../topology/link.ts';
import type { NameMap } from '../topology/mapping.ts';
import { tableName, type Catalogue, type TableName } from '../topology/table.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import { renamedAway } from '../replication/misfit-error.ts';
import { checkTables } from '../validation/checks/tables.ts';
import type { Finding } from '../validation/finding.ts';
import type { StreamFacts } from './facts.ts';
import { publicationsOf, type Carried } from './publication.ts';
import { asRenames } from './renamed-columns.ts';

/** Columns and types of the target that do not fit. */
const MET_IN_THE_STREAM: ReadonlySet<string | undefined> = new Set([
  'XC-5314',
  'XC-5315',
  'XC-5316',
  'XC-5317',
  'XC-5220',
]);

/** @param left tables that no link carries yet, although a rule names them */
export const schemaFindings = (
  facts: StreamFacts,
  carried: Carried,
  fresh: readonly Link[],
  left: ReadonlyMap<TableName, readonly LinkId[]>,
): Finding[] => {
  const fitting = checkTables({
    links: [...carried.keys()],
    source: without(facts.source.catalogue, unseen(carried, left)),
    target: facts.target.catalogue,
  });
  const copied = new Set(fresh.flatMap((link) => (carried.get(link) ?? []).map(tableName)));
  const running = new Set(
    [...carried.values()]
      .flat()
      .map(tableName)
      .filter((name) => !copied.has(name)),
  );
  const mapOf = (name: TableName): NameMap | undefined =>
    [...carried].find(([, tables]) => tables.some((table) => tableName(table) === name))?.[0].rule.map;
  return asRenames(fitting, facts, mapOf).map((finding) =>
    isMet(finding, running) ? { ...finding, ...met(finding) } : finding,
  );
};

/** Left out by every link that names them. */
const unseen = (
  carried: Carried,
  left: ReadonlyMap<TableName, readonly LinkId[]>,
): ReadonlySet<TableName> => {
  const kept = new Set([...carried.values()].flat().map(tableName));
  return new Set([...left.keys()].filter((name) => !kept.has(name)));
};

const without = (catalogue: Catalogue, names: ReadonlySet<TableName>): Catalogue => {
  if (names.size === 0) return catalogue;
  const leaves = new Set([...names].flatMap((name) => catalogue.tables.get(name)?.leaves ?? []));
  const tables = [...catalogue.tables].filter(([name]) => !names.has(name) && !leaves.has(name));
  return { ...catalogue, tables: new Map(tables) };
};

const isMet = ({ code, severity, verdict, subject }: Finding, running: ReadonlySet<TableName>): boolean =>
  severity === 'block' &&
  verdict === 'fail' &&
  MET_IN_THE_STREAM.has(code) &&
  [...running].some((name) => subject === name || subject.startsWith(`${name}.`));

const met = ({ seen }: Finding): Pick<Finding, 'severity' | 'seen'> => ({
  severity: 'warn',
  seen: `${seen}; the stream goes on to the first change that needs it`,
});

/** @throws XcError XC-5223 for a table that a rule of a running link named until it was renamed */
export const refuseRenamedAway = (facts: StreamFacts, carried: Carried): void => {
  const names = new Set([...carried.values()].flat().map(tableName));
  const published = publicationsOf(facts.stream.key, facts.source.publications).flatMap(
    ({ tables }) => tables,
  );
  for (const { relation, table: former } of facts.target.noted ?? []) {
    const now = published.find((one) => one.relation === relation)?.table;
    if (now === undefined || now === former || names.has(now)) continue;
    const links = [...carried.keys()].filter(({ rule }) => matchesPatterns(rule.tables ?? [], former));
    if (links.length > 0) throw renamedAway(former, now, links);
  }
};
