/**
 * The steps of one stream. A first copy creates the stream's slot and copies from its snapshot; links that join a
 * running stream copy on a side slot and are merged (CORRECTNESS 4), so that those already there never wait for them.
 */

import { REPAIR_DISCARDS } from './destroys.ts';
import type { StreamPlan } from './stream-plan.ts';
import { copySlotName, publicationName, slotName, type Link, type LinkId } from '../topology/link.ts';
import { tableName, type TableName } from '../topology/table.ts';
import type { StreamFacts } from './facts.ts';
import type { PlanWish } from './wish.ts';
import type { Finding } from './plan.ts';
import { publicationsMatch, wantedPublications, type Carried } from './publication.ts';
import { codeOf } from '../validation/positions/refuse.ts';
import { refuseResidency, refuseUnavailable } from './refusals.ts';
import { refuseRenamedAway } from './schema-findings.ts';
import { refuseRules, tableFindings } from './set-aside.ts';
import { Copies } from './copies.ts';
import { idsOf, planMerge } from './plan-merge.ts';
import { planArriving, planEmptied } from './plan-moves.ts';
import { linkTables, type LinkTables } from './link-tables.ts';
import type { TableOnSlot } from './link-table.ts';
import { planReplay } from './plan-replay.ts';
import { StepList } from './step-list.ts';
import { serverFindings } from './server-findings.ts';
import { standingOf, type Standing } from './standing.ts';

/** @param moving links that another stream of the plan takes over */
export const planStream = (
  facts: StreamFacts,
  wish: PlanWish,
  planId: string,
  moving: ReadonlySet<LinkId> = new Set(),
): StreamPlan => {
  if (facts.source.log) return planReplay(facts, facts.source.log, wish);
  const standing = standingOf(facts, wish);
  const emptied = planEmptied(facts, standing, moving);
  if (emptied) return emptied;
  const tables = linkTables(facts, standing, readAnew(standing), moving, wish);
  const { carried, checked } = tables;
  refuseRenamedAway(facts, carried);
  refuseUnavailable([...carried.keys()]);
  const { carried: carrying, joining, errored, held } = standing;
  const running = new Set([...carrying, ...joining, ...errored, ...held].map(({ link }) => link));
  refuseRules(facts, carried, running, wish.hashKeys);
  refuseResidency(carried);
  const steps = new StepList(facts.stream.key);
  const published = planPublications(facts, carried, steps);
  const taken = planPausing(standing, steps, planLeaving(standing, tables, steps, published));
  const copies = new Copies(facts, wish, carried);
  if (standing.gap) planMending(facts, standing, copies, steps, taken);
  else if (standing.checkpoint) planOntoRunning(facts, standing, tables, copies, steps, taken, planId);
  else if (standing.fresh.length > 0) planFirst(facts, standing.fresh, copies, steps, taken);
  if (!standing.gap) planArriving(facts, standing, steps);
  planVerify(
    [...carried.keys()].filter((link) => !copies.incomplete.has(link.id) && !moving.has(link.id)),
    standing,
    steps,
    wish.window,
  );
  return {
    steps: steps.list,
    findings: [
      ...standing.findings,
      ...mendingFindings(standing, facts),
      ...tables.findings,
      ...copies.findings,
      ...serverFindings(facts, carried),
      ...tableFindings(facts, checked.carried, readAnew(standing), checked.leftOut, running),
    ],
    carried,
  };
};

/** Links whose tables are read in this run: what does not fit stands in their way, and not only in their stream's. */
const readAnew = ({ fresh, mended, mendedAside }: Standing): Link[] => [
  ...fresh,
  ...[...mended, ...mendedAside].map(({ link }) => link),
];

const planPublications = (facts: StreamFacts, carried: Carried, steps: StepList): string[] => {
  const { key } = facts.stream;
  const wanted = wantedPublications(carried);
  if (publicationsMatch(key, wanted, facts.source.publications)) return [];
  return [steps.add({ kind: 'publish-tables', publication: publicationName(key), ...wanted }, [])];
};

const planLeaving = (
  { leaving }: Standing,
  tables: LinkTables,
  steps: StepList,
  after: string[],
): string[] => {
  const links = leaving.length === 0 ? after : [steps.add({ kind: 'remove-links', links: leaving }, after)];
  return tables.leaving.length === 0
    ? links
    : [steps.add({ kind: 'remove-tables', tables: tables.leaving }, links)];
};

/** Before anything else flows: what comes after is kept for those that stand still. */
const planPausing = ({ pauses }: Standing, steps: StepList, after: string[]): string[] =>
  pauses.length === 0 ? after : pauses.map((pause) => steps.add({ kind: 'split-links', ...pause }, after));

const planFirst = (
  facts: StreamFacts,
  links: readonly Link[],
  copies: Copies,
  steps: StepList,
  after: string[],
): void => {
  const slot = slotName(facts.stream.key);
  const ids = links.map((link) => link.id);
  const created = steps.add(
    { kind: 'create-slot', slot, links: ids, failover: facts.source.version >= 170_000 },
    after,
  );
  const copied = copies.fresh(slot, links).map((copy) => steps.add(copy, [created]));
  steps.add({ kind: 'stream-changes', slot, until: 'source-position-at-start' }, [created, ...copied]);
};

const planOntoRunning = (
  facts: StreamFacts,
  standing: Standing,
  tables: LinkTables,
  copies: Copies,
  steps: StepList,
  after: string[],
  planId: string,
): void => {
  const own = slotName(facts.stream.key);
  const rest = copies.rest(own, standing.carried).map((copy) => steps.add(copy, after));
  const { carried, joining, errored, held, fresh, mendedAside } = standing;
  // The stream's own slot moves also while everybody stands still: it would keep log that nobody needs.
  if (
    carried.length + joining.length + errored.length + held.length + fresh.length + mendedAside.length ===
    0
  )
    return;
  const main = steps.add({ kind: 'stream-changes', slot: own, until: 'source-position-at-start' }, [
    ...after,
    ...rest,
  ]);
  planJoining(standing, copies, steps, main, after);
  if (!tables.later) planTables(facts, standing, tables, copies, steps, main, planId);
  const aside = mendedAside.map(({ link }) => link);
  if (aside.length > 0) {
    const slot = copySlotName(facts.stream.key, `${planId}m`);
    planMerge(slot, idsOf(aside), steps, main, mendOn(slot, aside, copies, steps, after, false));
  }
  if (fresh.length === 0) return;
  const slot = copySlotName(facts.stream.key, planId);
  const ids = idsOf(fresh);
  const created = steps.add({ kind: 'create-slot', slot, links: ids, failover: false }, after);
  const copied = copies.fresh(slot, fresh).map((copy) => steps.add(copy, [created]));
  if (ids.some((id) => copies.incomplete.has(id))) return;
  planMerge(slot, ids, steps, main, [created, ...copied]);
};

/** The stream's own slot lost changes: a new one, and on the target only the ranges that differ are replaced. */
const planMending = (
  facts: StreamFacts,
  standing: Standing,
  copies: Copies,
  steps: StepList,
  after: string[],
): void => {
  const slot = slotName(facts.stream.key);
  const links = standing.mended.map(({ link }) => link);
  if (links.length === 0) return;
  const done = mendOn(slot, links, copies, steps, after, facts.source.version >= 170_000);
  const main = steps.add({ kind: 'stream-changes', slot, until: 'source-position-at-start' }, done);
  planJoining(standing, copies, steps, main, after);
};

const mendOn = (
  slot: string,
  links: readonly Link[],
  copies: Copies,
  steps: StepList,
  after: string[],
  failover: boolean,
): string[] => {
  const created = steps.add(
    { kind: 'create-slot', slot, links: idsOf(links), failover, repair: true },
    after,
  );
  return [created, ...copies.mending(slot, links).map((copy) => steps.add(copy, [created]))];
};

/** What only the target has is deleted: where its source is another, that may be rows that nobody else has. */
const mendingFindings = ({ gap, mended }: Standing, { target }: StreamFacts): Finding[] =>
  gap && codeOf(gap) === 'XC-5206' && mended.length > 0
    ? [
        {
          check: REPAIR_DISCARDS,
          region: target.region,
          subject: mended.map(({ row }) => row.link).join(', '),
          verdict: 'fail',
          severity: 'warn',
          seen: `${gap.why}; rows of the links that only the target has are deleted by the repair`,
          remedy: `run the plan with --confirm ${target.region}, once nothing on the target is worth keeping`,
          code: 'XC-5010',
        },
      ]
    : [];

const planJoining = (
  standing: Standing,
  copies: Copies,
  steps: StepList,
  main: string,
  after: string[],
): void => {
  for (const [slot, members] of Map.groupBy(
    [...standing.joining, ...standing.errored],
    ({ row }) => row.slot,
  )) {
    const copied = copies.rest(slot, members).map((copy) => steps.add(copy, after));
    if (members.some(({ link }) => copies.incomplete.has(link.id))) continue;
    planMerge(
      slot,
      members.map(({ link }) => link.id),
      steps,
      main,
      [...after, ...copied],
    );
  }
};

/**
 * Tables that join links which stream: as joining links do, on a side slot of their own, and after the stream itself, so
 * that nothing of it waits for them. What was begun goes first: a table that cannot begin holds back none that can end.
 */
const planTables = (
  facts: StreamFacts,
  { carried }: Standing,
  { joining, coming }: LinkTables,
  copies: Copies,
  steps: StepList,
  main: string,
  planId: string,
): void => {
  const ready = new Set(carried.flatMap(({ link, row }) => (row.state === 'copying' ? [] : [link.id])));
  for (const [slot, members] of joining) {
    const copied = copies.restOfTables(slot, members).map((copy) => steps.add(copy, [main]));
    const movable = members.filter(({ link }) => ready.has(link.id));
    if (movable.length === 0) continue;
    planMerge(slot, idsOfTables(movable), steps, main, [main, ...copied], namesOf(movable));
  }
  if (coming.length === 0) return;
  const slot = copySlotName(facts.stream.key, `${planId}t`);
  const links = [...new Set(coming.flatMap((one) => one.links))].toSorted();
  const created = steps.add({ kind: 'create-slot', slot, links, failover: false, tables: coming }, [main]);
  const copied = copies.tables(slot, coming).map((copy) => steps.add(copy, [created]));
  planMerge(
    slot,
    links,
    steps,
    main,
    [created, ...copied],
    coming.map(({ table }) => table),
  );
};

const idsOfTables = (members: readonly TableOnSlot[]): LinkId[] => [
  ...new Set(members.map(({ link }) => link.id)),
];

const namesOf = (members: readonly TableOnSlot[]): TableName[] =>
  [...new Set(members.map(({ table }) => tableName(table)))].toSorted();

/** Compared once everything else is done, at the extent that each link's rule asks for; links that stand still are not. */
const planVerify = (
  links: readonly Link[],
  standing: Standing,
  steps: StepList,
  window: PlanWish['window'],
): void => {
  const held = new Set([...standing.held, ...standing.errored].map(({ link }) => link.id));
  const before = steps.list.filter((step) => step.kind === 'stream-changes' || step.kind === 'merge-links');
  if (before.length === 0) return;
  for (const extent of ['changed', 'full'] as const) {
    const ids = links
      .filter((link) => link.rule.verify === extent && !held.has(link.id))
      .map((link) => link.id);
    if (ids.length > 0)
      steps.add(
        { kind: 'verify', links: ids.toSorted(), extent, ...(window ? { window } : {}) },
        before.map((step) => step.id),
      );
  }
};
