/**
 * What destroys, in one place: what of a plan cannot be brought back from the source. Gate P3 judges by these words, and
 * approvals stand for them through the plan's digest. Links and tables that the configuration no longer names are not
 * among it: taking them off is what the configuration itself asks for (decision 0027).
 */

import type { Link } from '../topology/link.ts';
import type { Plan, RepairRows } from './plan.ts';

/** The finding without whose confirmation a repair is not run. */
export const REPAIR_DISCARDS = 'repair-discards';

/** @param links whose rows `--existing replace` is about */
export const destroyedBy = (
  { findings, steps }: Pick<Plan, 'findings' | 'steps'>,
  links: readonly Pick<Link, 'target'>[],
  existing: 'replace' | undefined,
): string[] => [
  ...(existing && links.length > 0
    ? [`replaces rows on ${[...new Set(links.map(({ target }) => target))].toSorted().join(', ')}`]
    : []),
  ...findings
    .filter(({ check }) => check === REPAIR_DISCARDS)
    .map(({ region, subject }) => `deletes rows of ${subject} that only ${region ?? 'the target'} has`),
  ...steps.filter((step) => step.kind === 'repair-rows').flatMap(overwritten),
];

/** Whoever wrote them on the target cannot get them back from the source; a row that is missing is only added. */
const overwritten = ({ table, rows }: RepairRows): string[] => {
  const changed = rows.filter(({ kind }) => kind === 'changed').length;
  return changed === 0 ? [] : [`overwrites ${changed} rows of ${table} that differ on the target`];
};
