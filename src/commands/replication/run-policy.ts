/** The gates of one run: approvals that were given for its plan, and what the run itself says. */

import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { BudgetFact } from '../../core/policy/gates/budgets.ts';
import type { ObservabilityFacts } from '../../core/policy/gates/observability.ts';
import type { GateRow } from '../../core/policy/gates/table.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { refuseGates, refuseOnlyApproval } from '../../core/plan/refuse-gates.ts';
import { copiesWithin, gatesOfRun, intentOfRun, withLatencies } from '../../core/run/run-gates.ts';
import type { Link } from '../../core/topology/link.ts';
import type { Host } from '../frame/host.ts';
import { approvalFacts } from '../policy/approval-facts.ts';

export interface RunPolicy {
  /** Set once the plan was judged. */
  readonly rows: readonly GateRow[] | null;
  /** Key ids of those who approved, each once. */
  readonly approvers: readonly string[];
  /** Of the plan that was reviewed: approvals name it, also where only what is left of it runs. Null without one. */
  readonly approvedDigest: string | null;
  /** @throws XcError the code of the gate that stops it */
  refuse(plan: Plan): void;
  /**
   * What a run that follows plans later: no approval was given for it, so in production it replaces rows only where the
   * plan that was let through does.
   * @throws XcError the code of the gate that stops it
   */
  refuseLater(plan: Plan): void;
  /** What was measured while it ran: P6 is judged again where a tenant was later than its budget allows. */
  measured(latencies: readonly BudgetFact[]): void;
  /** Copies the approvals to the run, for its evidence. */
  keep(directory: string): Promise<void>;
}

export interface RunPolicyParts {
  /** Null where nobody reviewed a plan. */
  readonly reviewed: Plan | null;
  readonly planFile: string | undefined;
  /** --approval */
  readonly approvals: readonly string[] | undefined;
  readonly existing: 'replace' | undefined;
  readonly links: readonly Link[];
  readonly observability: ObservabilityFacts;
}

export const runPolicy = async (host: Host, parts: RunPolicyParts): Promise<RunPolicy> => {
  const loaded = await host.config();
  const { facts: given, files } = await approvalFacts(host, parts);
  let rows: readonly GateRow[] | null = null;
  let admitted: Plan | null = null;
  return {
    approvers: [...new Set(given.given.map(({ keyId }) => keyId))],
    approvedDigest: parts.reviewed?.digest ?? null,
    async keep(directory) {
      if (files.length > 0) await mkdir(directory, { recursive: true });
      for (const file of files) await copyFile(file, join(directory, basename(file)));
    },
    get rows() {
      return rows;
    },
    refuse(plan) {
      const asked = {
        environment: loaded.config.environment,
        reviewed: parts.reviewed,
        links: parts.links,
        existing: parts.existing,
        nowMs: host.clock.nowMs(),
      };
      rows = gatesOfRun(plan, { ...asked, approval: given, observability: parts.observability });
      refuseOnlyApproval(intentOfRun(plan, asked), given);
      // Budgets slow and pause where the bytes flow.
      refuseGates(rows, plan.id, ['P6']);
      admitted = plan;
    },
    measured(latencies) {
      rows = rows && withLatencies(rows, latencies);
    },
    refuseLater(plan) {
      refuseGates(plan.policy, plan.id, admitted && copiesWithin(plan, admitted) ? ['P3', 'P6'] : ['P6']);
    },
  };
};
