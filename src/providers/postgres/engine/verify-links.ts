/** Verification of an engine's links: which tables, under which policies, against which marker. */

import type { Lsn } from '../../../core/change/lsn.ts';
import type { ColumnAction } from '../../../core/policy/column-action.ts';
import { rowScope, tablesOf } from '../../../core/plan/scope.ts';
import type { Verify } from '../../../core/plan/plan.ts';
import { columnOfWindow } from '../../../core/plan/window.ts';
import { keyColumns, linkActions } from '../../../core/replication/column-actions.ts';
import type { TableDifferences } from '../../../core/replication/engine.ts';
import type { Finding } from '../../../core/validation/finding.ts';
import type { Link, LinkId } from '../../../core/topology/link.ts';
import { tableName, type Catalogue, type TableFacts, type TableName } from '../../../core/topology/table.ts';
import type { TableVerdict } from '../../../core/validation/compare/table-verdict.ts';
import { disconnect } from '../connect.ts';
import { foreignKeyFindings, type CheckedTable } from '../verify/foreign-keys.ts';
import { verifyLinks, type VerifyRequest } from '../verify/verify-links.ts';
import { tableToVerify, type VerifyTable } from '../verify/verify-table.ts';
import type { EngineOptions } from './options.ts';
import type { Sessions } from './sessions.ts';

export interface Verification {
  readonly findings: readonly Finding[];
  readonly tables: number;
  readonly rows: number;
  readonly verdicts: ReadonlyMap<LinkId, 'pass' | 'fail' | 'unknown'>;
  readonly verified: readonly TableVerdict[];
  readonly seed: string | null;
  readonly differences: readonly TableDifferences[];
}

/** How a comparison is limited, where one was asked for by itself. */
export type VerifyMore = Pick<VerifyRequest, 'sample' | 'seed' | 'memory' | 'limits' | 'progress'>;

export interface VerificationPorts {
  readonly options: EngineOptions;
  readonly sessions: Sessions;
  readonly source: Catalogue;
  readonly target: Catalogue;
  emit(): Promise<Lsn>;
  passed(position: Lsn, signal: AbortSignal): Promise<void>;
}

/** @param wanted which tables of a link are compared */
export const verifyStream = async (
  links: readonly Link[],
  wanted: (link: LinkId, table: TableName) => boolean,
  window: Verify['window'],
  ports: VerificationPorts,
  signal: AbortSignal,
  more: VerifyMore = {},
): Promise<Verification> => {
  const { options, sessions } = ports;
  const tables = tablesToVerify(links, wanted, window, ports);
  const verdicts = new Map<LinkId, 'pass' | 'fail' | 'unknown'>();
  if (tables.length === 0)
    return { findings: [], tables: 0, rows: 0, verdicts, verified: [], seed: null, differences: [] };
  const result = await verifyLinks({
    source: () => sessions.source('reader'),
    target: () => sessions.target('control'),
    tables,
    marker: { emit: () => ports.emit(), passed: (position, abort) => ports.passed(position, abort) },
    clock: options.clock,
    random: options.random,
    signal,
    ...more,
  });
  for (const { links: each } of result.tables)
    for (const { link, verdict } of each) verdicts.set(link, worse(verdicts.get(link) ?? 'pass', verdict));
  return {
    findings: [...result.findings, ...(await foreignKeys(links, wanted, ports, signal))],
    tables: result.tables.length,
    rows: result.tables.reduce((sum, table) => sum + table.rows.source, 0),
    verdicts,
    verified: result.tables,
    seed: result.seed,
    differences: result.differences,
  };
};

/** Of rules that ask for it: constraints of tables of which either end was compared. */
const foreignKeys = async (
  links: readonly Link[],
  wanted: (link: LinkId, table: TableName) => boolean,
  { source, target, sessions }: VerificationPorts,
  signal: AbortSignal,
): Promise<Finding[]> => {
  const checked = new Map<TableName, CheckedTable & { readonly links: Link[] }>();
  for (const link of links.filter(({ rule }) => rule.foreignKeys === 'check'))
    for (const name of tablesOf(link, source, (table) => target.tables.has(tableName(table))).map(
      tableName,
    )) {
      const facts = target.tables.get(name);
      const ends = [name, ...(facts?.foreignKeys ?? []).map((key) => key.references)];
      if (!facts || facts.foreignKeys.length === 0 || !ends.some((end) => wanted(link.id, end))) continue;
      const entry = checked.get(name) ?? { name, facts, links: [] };
      entry.links.push(link);
      checked.set(name, entry);
    }
  if (checked.size === 0) return [];
  const client = await sessions.target('control');
  try {
    return await foreignKeyFindings(client, [...checked.values()], signal);
  } finally {
    await disconnect(client);
  }
};

const RANK = { pass: 0, unknown: 1, fail: 2 } as const;
const worse = (
  a: 'pass' | 'fail' | 'unknown',
  b: 'pass' | 'fail' | 'unknown',
): 'pass' | 'fail' | 'unknown' => (RANK[a] >= RANK[b] ? a : b);

export const tablesToVerify = (
  links: readonly Link[],
  wanted: (link: LinkId, table: TableName) => boolean,
  window: Verify['window'],
  { options, source, target }: Pick<VerificationPorts, 'options' | 'source' | 'target'>,
): VerifyTable[] => {
  const byTable = new Map<TableName, { facts: TableFacts; links: Link[] }>();
  for (const link of links)
    for (const facts of tablesOf(link, source, (table) => wanted(link.id, tableName(table)))) {
      const name = tableName(facts);
      const entry = byTable.get(name) ?? { facts, links: [] };
      entry.links.push(link);
      byTable.set(name, entry);
    }
  return [...byTable.values()].map(({ facts, links: carried }) =>
    tableOfLinks(facts, carried, windowOf(tableName(facts), carried, window), { options, source, target }),
  );
};

/** One table as its links carry it, under their policies. */
export const tableOfLinks = (
  facts: TableFacts,
  links: readonly Link[],
  window: VerifyTable['window'],
  { options, source, target }: Pick<VerificationPorts, 'options' | 'source' | 'target'>,
): VerifyTable => {
  const onTarget = target.tables.get(tableName(facts))!;
  return tableToVerify(
    { facts, types: source.types },
    { facts: onTarget, types: target.types },
    links.map((link) => ({
      link: link.id,
      scope: rowScope(link),
      actions: whereCarried(actionsOf(link, facts, source, options), facts, onTarget),
    })),
    window,
  );
};

/**
 * What is compared is what is carried: a column that came a moment ago on the source alone is no difference of rows. The
 * stream says that the target lacks it, before the first row that has it. Without a key there is nothing to compare by.
 */
const whereCarried = (
  actions: ReadonlyMap<string, ColumnAction>,
  source: TableFacts,
  target: TableFacts,
): ReadonlyMap<string, ColumnAction> => {
  const places = new Set(target.columns.map(({ name }) => name));
  const kept = (name: string): boolean => places.has(name) || source.primaryKey.includes(name);
  return new Map([...actions].map(([name, action]) => [name, kept(name) ? action : { kind: 'drop' }]));
};

const windowOf = (
  table: TableName,
  links: readonly Link[],
  window: Verify['window'],
): VerifyTable['window'] => {
  const column = window ? columnOfWindow(table, links) : null;
  return window && column !== null ? { column, ...window } : null;
};

const actionsOf = (
  link: Link,
  facts: TableFacts,
  source: Catalogue,
  { hashKeys }: EngineOptions,
): ReadonlyMap<string, ColumnAction> => {
  const columns = facts.columns
    .filter((column) => column.generated === 'none')
    .map(({ name, typeOid, typeModifier }) => ({
      name,
      typeOid,
      typeModifier,
      key: facts.identityColumns.includes(name),
    }));
  const keys = keyColumns({ identity: facts.identity === 'full' ? 'f' : 'd', columns }, facts);
  const actions = linkActions(link, { ...facts, columns }, keys, { source, hashKeys });
  return new Map(columns.map(({ name }, at) => [name, actions[at]!]));
};
