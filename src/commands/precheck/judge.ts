/** Puts what was seen of each database next to what the configured streams want of it, and asks the pure checks. */

import type { Config } from '../../core/config/schema.ts';
import type { Stream } from '../../core/topology/link.ts';
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
  const tables = { links: stream.links, source: source.catalogue, target: target.catalogue };
  const inScope = new Set(tableSizes(stream.links, source.catalogue).map((row) => row.subject));
  const ofScope = ({ table }: { readonly table: string }): boolean => inScope.has(table);
  return [
    ...checkPair(source.server, target.server),
    ...checkTablesFully(tables),
    ...tableSizes(stream.links, source.catalogue),
    ...sourceAccess(contextOf(stream.source.region, [stream], source), source.access.filter(ofScope)),
    ...targetAccess(contextOf(stream.target.region, [stream], target), target.access.filter(ofScope)),
  ];
};
