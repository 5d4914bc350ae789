/** What stands between a plan of a mirror and its being carried out: guards, gates, approvals. */

import type { LoadedConfig } from '../../core/config/loaded.ts';
import { gatesOfMirror } from '../../core/mirror/gates.ts';
import type { MirrorWish } from '../../core/mirror/places.ts';
import { guardDeletions, HALF, type DeleteLimit, type Totals } from '../../core/mirror/totals.ts';
import { refuseGates } from '../../core/plan/refuse-gates.ts';
import type { GateRow } from '../../core/policy/gates/table.ts';
import type { Host } from '../frame/host.ts';
import { policyContext } from '../replication/policy-context.ts';
import type { MirrorPlan } from './mirror-plan.ts';
import type { OpenMirror } from './open-mirror.ts';
import { approvalOfPlan, type ApprovalOptions } from './plan-approval.ts';

interface Judging {
  readonly host: Host;
  readonly loaded: LoadedConfig;
  readonly options: ApprovalOptions & { readonly maxDelete?: DeleteLimit | undefined };
}

/**
 * Deletions up to the guard carry over what was deleted at the source, as a stream does; more than half of a target is a
 * decision of its own, which production wants approved (P3).
 * @throws XcError the code of the gate that stops it, XC-2080, XC-2081
 */
export const admit = async (
  frame: Judging,
  { wish }: OpenMirror,
  planned: MirrorPlan,
): Promise<readonly GateRow[]> => {
  const { totals } = planned;
  guardDeletions(wish.id, totals, frame.options.maxDelete ?? HALF);
  const destroys = exceedsHalf(wish.id, totals)
    ? [`deletes ${totals.objects.delete} objects at ${wish.target.region}, more than half of them`]
    : [];
  return await judged(frame, wish, planned.id, destroys);
};

/** A dry run shows what a run would be refused for; it needs no approval to do so. */
export const judged = async (
  { host, loaded, options }: Judging,
  wish: MirrorWish,
  id: string,
  destroys: readonly string[],
): Promise<readonly GateRow[]> => {
  const { facts, digest } = await approvalOfPlan(host, options);
  const rows = gatesOfMirror(loaded.config, wish, policyContext(loaded), {
    id,
    mode: loaded.mode,
    digest,
    destroys,
    approval: facts,
    nowMs: host.clock.nowMs(),
  });
  refuseGates(rows, wish.id, host.flags.dryRun ? ['P3', 'P6'] : ['P6']);
  return rows;
};

const exceedsHalf = (subject: string, totals: Totals): boolean => {
  try {
    guardDeletions(subject, totals, HALF);
    return false;
  } catch {
    return true;
  }
};
