/**
 * What the two servers of a stream do not allow: the same checks that precheck prints, so that a plan which lacks a
 * privilege or a free slot is refused before a publication is made. Only what blocks is a plan's affair.
 */

import { isBlocking, type Finding } from '../validation/finding.ts';
import { checkPair, checkServer } from '../validation/checks/servers.ts';
import type { ServerContext } from '../validation/checks/server/context.ts';
import { ownedNames } from '../validation/checks/server/owned.ts';
import { sourceAccess, targetAccess } from '../validation/checks/server/privileges.ts';
import { tableName, type TableName } from '../topology/table.ts';
import type { ServerFacts, StreamFacts } from './facts.ts';
import type { Carried } from './publication.ts';

export const serverFindings = ({ stream, source, target }: StreamFacts, carried: Carried): Finding[] => {
  if (!source.observed || !target.observed || carried.size === 0) return [];
  const tables = new Set([...carried.values()].flatMap((carries) => carries.map(tableName)));
  const there = new Set([...tables].map((name) => tableName(target.catalogue.tables.get(name) ?? NOWHERE)));
  const context = (observed: NonNullable<ServerFacts['observed']>, side: 'source' | 'target') =>
    ({
      server: observed.server,
      isSource: side === 'source',
      isTarget: side === 'target',
      streamsFrom: side === 'source' ? 1 : 0,
      streamsTo: side === 'target' ? 1 : 0,
      owned: ownedNames(observed.server.region, [stream]),
    }) satisfies ServerContext;
  const from = context(source.observed, 'source');
  const to = context(target.observed, 'target');
  return [
    ...checkServer(from),
    ...checkServer(to),
    ...checkPair(source.observed.server, target.observed.server),
    ...sourceAccess(
      from,
      source.observed.access.filter(({ table }) => tables.has(table)),
    ),
    ...targetAccess(
      to,
      target.observed.access.filter(({ table }) => there.has(table)),
    ),
  ].filter(isBlocking);
};

/** What the roles lack of each table alone, asked of tables that are not carried yet. */
export const accessFindings = ({
  stream,
  source,
  target,
}: StreamFacts): ((table: TableName) => readonly Finding[]) => {
  if (!source.observed || !target.observed) return () => [];
  const sides = [
    { observed: source.observed, isSource: true, judge: sourceAccess, named: (table: TableName) => table },
    {
      observed: target.observed,
      isSource: false,
      judge: targetAccess,
      named: (table: TableName) => tableName(target.catalogue.tables.get(table) ?? NOWHERE),
    },
  ].map(({ observed, isSource, judge, named }) => {
    const context: ServerContext = {
      server: observed.server,
      isSource,
      isTarget: !isSource,
      streamsFrom: Number(isSource),
      streamsTo: Number(!isSource),
      owned: ownedNames(observed.server.region, [stream]),
    };
    const access = new Map(observed.access.map((one) => [one.table, one]));
    return (table: TableName): readonly Finding[] => {
      const has = access.get(named(table));
      return has ? judge(context, [has]).filter(isBlocking) : [];
    };
  });
  return (table) => sides.flatMap((side) => side(table));
};

/** The same of the target alone, where a change log is the source. */
export const targetFindings = ({ stream, target }: StreamFacts, carried: Carried): Finding[] => {
  if (!target.observed || carried.size === 0) return [];
  const names = new Set([...carried.values()].flatMap((carries) => carries.map(tableName)));
  const there = new Set([...names].map((name) => tableName(target.catalogue.tables.get(name) ?? NOWHERE)));
  const { server, access } = target.observed;
  const to: ServerContext = {
    server,
    isSource: false,
    isTarget: true,
    streamsFrom: 0,
    streamsTo: 1,
    owned: ownedNames(server.region, [stream]),
  };
  return [
    ...checkServer(to),
    ...targetAccess(
      to,
      access.filter(({ table }) => there.has(table)),
    ),
  ].filter(isBlocking);
};

/** A table that the target lacks has its own finding. */
const NOWHERE = { schema: '', name: '' };
