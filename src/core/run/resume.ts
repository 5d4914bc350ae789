/**
 * Whether a reviewed plan may run on the facts of now. It may when nothing that decides has moved; and, after it was cut
 * short, when only its own effects moved what decides and what is left is part of what was reviewed.
 */

import { XcError } from '../errors/xc-error.ts';
import type { CreateSlot, Plan, Step } from '../plan/plan.ts';

/**
 * @param fresh made from the facts of now, for the reviewed plan's wish and under its id
 * @returns the steps to run: the reviewed plan's own, or what is left of them
 * @throws XcError XC-3001
 */
export const planToRun = (reviewed: Plan, fresh: Plan, nowMs: number): Plan => {
  const stale = (why: string): XcError => new XcError('XC-3001', { subject: reviewed.id, why });
  if (Date.parse(reviewed.expiresAt) <= nowMs) throw stale(`it expired at ${reviewed.expiresAt}`);
  if (reviewed.config !== fresh.config) throw stale('the configuration has changed');
  for (const [region, epoch] of Object.entries(reviewed.epochs))
    if (fresh.epochs[region] !== epoch)
      throw stale(
        `it is good for epoch ${epoch} of ${region}, which is at ${fresh.epochs[region] ?? 'none'}`,
      );
  if (reviewed.basis === fresh.basis) return reviewed;
  // Each row of it is looked at again before it is touched; slots and states of links decide nothing about that.
  if (reviewed.kind === 'repair-rows' && reviewed.ground === fresh.ground) return reviewed;
  if (reviewed.ground !== fresh.ground)
    throw stale('a server, role, epoch, schema or rule that it rests on has changed');
  const beyond = fresh.steps.find((step) => !covers(reviewed, step));
  if (beyond)
    throw stale(`slots or links have changed, and it does not hold what is needed now: ${beyond.kind}`);
  return fresh;
};

/** Streaming and comparing change nothing that a reviewer decides on; everything else must have been in the plan. */
const covers = (reviewed: Plan, step: Step): boolean => {
  if (step.kind === 'stream-changes' || step.kind === 'verify') return true;
  return reviewed.steps.some((other) => other.stream === step.stream && effectCovers(other, step));
};

const within = (inner: readonly string[], outer: readonly string[]): boolean =>
  inner.every((name) => outer.includes(name));

/** Empty where whole links are copied. */
const tablesOfSlot = ({ tables = [] }: CreateSlot): string[] => tables.map(({ table }) => table);

const effectCovers = (reviewed: Step, step: Step): boolean => {
  switch (step.kind) {
    case 'publish-tables':
      return (
        reviewed.kind === 'publish-tables' &&
        JSON.stringify([reviewed.tables, reviewed.insertOnly]) ===
          JSON.stringify([step.tables, step.insertOnly])
      );
    case 'copy-table':
      return (
        reviewed.kind === 'copy-table' &&
        reviewed.table === step.table &&
        JSON.stringify(reviewed.window) === JSON.stringify(step.window) &&
        reviewed.repair === step.repair &&
        within(step.links, reviewed.links)
      );
    case 'create-slot':
      return (
        reviewed.kind === 'create-slot' &&
        reviewed.repair === step.repair &&
        within(tablesOfSlot(step), tablesOfSlot(reviewed)) &&
        within(step.links, reviewed.links)
      );
    case 'remove-tables':
      return (
        reviewed.kind === 'remove-tables' &&
        step.tables.every(({ table }) => reviewed.tables.some((other) => other.table === table))
      );
    case 'split-links':
    case 'merge-links':
    case 'move-links':
    case 'remove-links':
    case 'repair-rows':
      return reviewed.kind === step.kind && within(step.links, reviewed.links);
    case 'stream-changes':
    case 'verify':
      return true;
  }
};
