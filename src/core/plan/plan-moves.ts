/** What `dedicated` of a rule does to streams, once it was changed (docs/decisions/0028). */

import { slotName, type LinkId } from '../topology/link.ts';
import type { StreamFacts } from './facts.ts';
import { idsOf, planMerge } from './plan-merge.ts';
import type { StreamPlan } from './stream-plan.ts';
import type { Standing } from './standing.ts';
import { StepList } from './step-list.ts';

/** A stream whose links all go to others has nothing to do by itself; one that they have left goes. */
export const planEmptied = (
  facts: StreamFacts,
  { fresh, arriving, findings, checkpoint }: Standing,
  moving: ReadonlySet<LinkId>,
): StreamPlan | null => {
  const rows = facts.target.links.filter((row) => row.stream === facts.stream.key);
  if (fresh.length + arriving.length > 0 || facts.stream.links.some(({ id }) => !moving.has(id))) return null;
  if (rows.length > 0)
    return moving.size > 0 && rows.every(({ link }) => moving.has(link))
      ? { steps: [], findings, carried: new Map() }
      : null;
  if (!checkpoint) return null;
  const steps = new StepList(facts.stream.key);
  steps.add({ kind: 'remove-links', links: [] }, []);
  return { steps: steps.list, findings, carried: new Map() };
};

/**
 * Links come over from the stream that they were on. A dedicated stream is given its link at one position; the shared one
 * takes the slot over, and merges it.
 */
export const planArriving = (
  facts: StreamFacts,
  { arriving, checkpoint, fresh }: Standing,
  steps: StepList,
): void => {
  if (arriving.length === 0) return;
  const own = slotName(facts.stream.key);
  if (!checkpoint && fresh.length === 0)
    steps.add(
      { kind: 'create-slot', slot: own, links: [], failover: facts.source.version >= 170_000 },
      steps.list.map(({ id }) => id),
    );
  const before = steps.list.map(({ id }) => id);
  const moved = [...Map.groupBy(arriving, ({ row }) => row.stream)].map(([from, members]) => ({
    from,
    links: idsOf(members.map(({ link }) => link)).toSorted(),
    dedicated: members.every(({ link }) => link.rule.dedicated),
    step: steps.add(
      { kind: 'move-links', links: idsOf(members.map(({ link }) => link)).toSorted(), from },
      before,
    ),
  }));
  const after = moved.map(({ step }) => step);
  const main = steps.add({ kind: 'stream-changes', slot: own, until: 'source-position-at-start' }, after);
  for (const { from, links, dedicated, step } of moved)
    if (!dedicated) planMerge(slotName(from), links, steps, main, [step]);
};
