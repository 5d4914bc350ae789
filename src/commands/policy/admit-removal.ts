/**
 * What removes something for good passes gate P3 here, whichever command it is: in production it is written down (--out),
 * signed by whoever asks, approved, and given back with --plan. Elsewhere nothing is asked for.
 */

import { resolve } from 'node:path';
import {
  parseRemoval,
  refuseStaleRemoval,
  removalPlan,
  type Removal,
  type RemovalPlan,
} from '../../core/plan/removal.ts';
import { refuseGates, refuseOnlyApproval } from '../../core/plan/refuse-gates.ts';
import { approval, countApprovals } from '../../core/policy/gates/approval.ts';
import type { Intent } from '../../core/policy/gates/gate.ts';
import { judge } from '../../core/policy/gates/table.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { readGiven } from '../read-given.ts';
import { newId } from '../replication/planning.ts';
import { approvalFacts } from './approval-facts.ts';
import type { RemovalOptions } from './removal-options.ts';

/** What --out writes. */
export const writeRemoval = async (host: Host, removal: Removal, out: string): Promise<Outcome> => {
  const plan = await planOf(host, removal);
  await writeDurably(resolve(host.cwd, out), `${JSON.stringify(plan, null, 2)}\n`);
  const wanted = plan.destroys.length === 0 ? ['nothing: there is nothing to remove'] : plan.destroys;
  return {
    document: plan,
    table: () => [`${plan.action} ${plan.subject}:`, ...wanted, `plan: ${out}`].join('\n'),
  };
};

/**
 * @returns what the audit entry says of the plan and of who approved it
 * @throws XcError XC-1303, XC-3001, XC-3003 for the plan, XC-3030 to XC-3037 for its approvals
 */
export const admitRemoval = async (
  host: Host,
  removal: Removal,
  { plan: file, approval: approvals }: RemovalOptions,
): Promise<Readonly<Record<string, string>>> => {
  const nowMs = host.clock.nowMs();
  const now = await planOf(host, removal);
  const reviewed = file === undefined ? null : parseRemoval((await readGiven(host, file)).toString(), file);
  // What is already gone is not removed again, whatever the plan rests on.
  if (reviewed && now.destroys.length > 0) refuseStaleRemoval(reviewed, now, nowMs);
  const { config, mode } = await host.config();
  const intent: Intent = {
    kind: 'run',
    subject: `${removal.action} ${removal.subject}`,
    environment: config.environment,
    mode,
    digest: reviewed?.digest ?? null,
    destroys: removal.destroys,
    nowMs,
  };
  const { facts } = await approvalFacts(host, { planFile: file, approvals });
  refuseOnlyApproval(intent, facts);
  const row = { gate: approval.id, name: approval.name, ...judge(approval, intent, { approval: facts }) };
  refuseGates([row], intent.subject);
  if (!reviewed) return {};
  const { names } = countApprovals(intent, facts);
  return {
    plan: reviewed.id,
    planSha256: reviewed.digest,
    ...(names.length > 0 ? { approvedBy: names.join(', ') } : {}),
  };
};

const planOf = async (host: Host, removal: Removal): Promise<RemovalPlan> => {
  const { config } = await host.config();
  return removalPlan(removal, {
    id: await newId(host, 'pl'),
    controlPlane: config.controlPlane,
    nowMs: host.clock.nowMs(),
  });
};
