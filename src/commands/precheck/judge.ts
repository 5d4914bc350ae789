/** Puts what was seen of each database next to what the configured streams want of it, and asks the pure checks. */

import type { Config } from '../../core/config/schema.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import type { Stream } from '../../core/topology/link.ts';
import { tableName, type Catalogue } from '../../core/topology/table.ts';
import { placesOf, targetView } from '../../core/topology/target-view.ts';
import { checkRules } from '../../core/validation/checks/rules.ts';
import type { ServerContext } from '../../core/validation/checks/server/context.ts';
import { leftovers } from '../../core/validation/checks/server/leftovers.ts';
import { ownedNames } from '../../core/validation/checks/server/owned.ts';
import {
  initialised,
  privileges,
  sourceAccess,
  targetAccess,
} from '../../core/validation/checks/server/privileges.ts';
import { checkClocks, checkPair, checkServer } from '../../core/validation/checks/servers.ts';
import { tablesInScope } from '../../core/validation/checks/table/scope.ts';
import { tableSizes } from '../../core/validation/checks/table-size.ts';
import { checkTablesFully } from '../../core/validation/checks/tables.ts';
import type { Finding } from '../../core/validation/finding.ts';
import type { ObservedDatabase } from './observe-database.ts';

export const judgeDatabases = (
  config: Config,
  streams: readonly Stream[],
  databases: readonly ObservedDatabase[],
): Finding[] => {
  const byRegion = Map.groupBy(databases, ({ server }) => server.region);
  const regions = Object.keys(config.regions).flatMap((region) =>
    judgeRegion(region, streams, byRegion.get(region) ?? []),
  );
  const firsts = [...byRegion.values()].flatMap(([first]) => first?.server ?? []);
  return [
    ...checkRules(config),
    ...regions,
    ...checkClocks(firsts),
    ...streams.flatMap((stream) => judgeStream(stream, databases)),
  ];
};

/** A server is judged once; each further database of it only for what a database has of its own. */
const judgeRegion = (
  region: string,
  streams: readonly Stream[],
  databases: readonly ObservedDatabase[],
): Finding[] =>
  databases.flatMap((observed, at) => {
    const context = contextOf(region, streams, observed);
    const reachable: Finding = {
      check: 'postgres-reachable',
      region,
      subject: observed.server.address,
      verdict: 'pass',
      severity: 'info',
      seen: `connected to ${observed.server.database} as ${observed.server.privileges.role}`,
    };
    if (at === 0) return [reachable, ...checkServer(context)];
    const alone = { ...context, server: { ...context.server, slots: [], origins: [] } };
    return [reachable, ...privileges(context), ...initialised(context), ...leftovers(alone)];
  });

const contextOf = (
  region: string,
  streams: readonly Stream[],
  { server }: ObservedDatabase,
): ServerContext => {
  const isHere = (side: Stream['source']): boolean =>
    side.region === region && side.database === server.database;
  return {
    server,
    isSource: streams.some((stream) => isHere(stream.source)),
    isTarget: streams.some((stream) => isHere(stream.target)),
    streamsFrom: streams.filter((stream) => stream.source.region === region).length,
    streamsTo: streams.filter((stream) => stream.target.region === region).length,
    owned: ownedNames(region, streams),
  };
};

/** A side that was not reached has its own row, which blocks; its tables are then not known to be well. */
const judgeStream = (stream: Stream, databases: readonly ObservedDatabase[]): Finding[] => {
  const find = (side: Stream['source']): ObservedDatabase | undefined =>
    databases.find(({ server }) => server.region === side.region && server.database === side.database);
  const [source, target] = [find(stream.source), find(stream.target)];
  if (!source || !target)
    return [
      {
        check: 'tables-in-scope',
        region: stream.source.region,
        subject: `${stream.source.region} to ${stream.target.region}`,
        verdict: 'unknown',
        severity: 'warn',
        seen: 'tables were not compared, because a side was not reached',
        code: 'XC-5340',
      },
    ];
  const places = viewOf(stream, source.catalogue, target.catalogue);
  if ('finding' in places) return [places.finding];
  const { view } = places;
  const tables = { links: stream.links, source: source.catalogue, target: view };
  const inScope = new Set(tableSizes(stream.links, source.catalogue).map((row) => row.subject));
  const there = new Set([...inScope].flatMap((name) => view.tables.get(name) ?? []).map(tableName));
  return [
    ...checkPair(source.server, target.server),
    ...checkTablesFully(tables),
    ...tableSizes(stream.links, source.catalogue),
    ...sourceAccess(
      contextOf(stream.source.region, [stream], source),
      source.access.filter(({ table }) => inScope.has(table)),
    ),
    ...targetAccess(
      contextOf(stream.target.region, [stream], target),
      target.access.filter(({ table }) => there.has(table)),
    ),
  ];
};

/** The target under the source's names, or why a rule's map gives none. */
const viewOf = (
  stream: Stream,
  source: Catalogue,
  target: Catalogue,
): { view: Catalogue } | { finding: Finding } => {
  try {
    const places = placesOf(stream.links, (link) => tablesInScope(link, source).map(tableName));
    return { view: targetView(target, source, places) };
  } catch (error) {
    if (!isXcError(error)) throw error;
    return {
      finding: {
        check: 'table-names',
        region: stream.target.region,
        subject: stream.links.map((link) => link.id).join(', '),
        verdict: 'fail',
        severity: 'block',
        seen: error.message,
        remedy: error.next,
        code: error.code,
      },
    };
  }
};
