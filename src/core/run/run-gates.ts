/** The gates of a run: the plan's own table, with what only the run knows judged again. */

import type { Plan } from '../plan/plan.ts';
import { destroyedBy } from '../plan/destroys.ts';
import { approval, type ApprovalFacts } from '../policy/gates/approval.ts';
import { budgets, type BudgetFact } from '../policy/gates/budgets.ts';
import type { Facts, Intent, PolicyGate } from '../policy/gates/gate.ts';
import { integrity, type IntegrityFact } from '../policy/gates/integrity.ts';
import { observability, type ObservabilityFacts } from '../policy/gates/observability.ts';
import { judge, type GateRow } from '../policy/gates/table.ts';
import type { Link } from '../topology/link.ts';

export interface RunFacts {
  readonly environment: Intent['environment'];
  /**
   * What somebody reviewed; null where nobody did. A plan that was cut short goes on with what is left of it, which has
   * a digest of its own and needs no approval of its own: nothing is in it that was not in the plan.
   */
  readonly reviewed: Plan | null;
  readonly links: readonly Pick<Link, 'target'>[];
  readonly existing: 'replace' | undefined;
  readonly approval: ApprovalFacts;
  readonly observability: ObservabilityFacts;
  readonly nowMs: number;
}

/** What is asked for, as approvals are counted by: those of a plan cover rows that are replaced only where it says so. */
export const intentOfRun = (plan: Plan, facts: Omit<RunFacts, 'approval' | 'observability'>): Intent => {
  const approved = facts.reviewed ?? plan;
  return {
    kind: 'run',
    subject: plan.id,
    environment: facts.environment,
    mode: plan.mode,
    digest: facts.existing === approved.wish.existing ? approved.digest : null,
    destroys: destroyedBy(plan, facts.links, facts.existing),
    nowMs: facts.nowMs,
  };
};

/** Before anything is done. */
export const gatesOfRun = (plan: Plan, facts: RunFacts): GateRow[] =>
  again(plan.policy, intentOfRun(plan, facts), [approval, observability], facts);

/**
 * After it: what was planned to be compared was, or was not.
 * @param verified null where the run ended before all of it was
 */
export const gatesAtEnd = (
  rows: readonly GateRow[],
  plan: Pick<Plan, 'id' | 'mode'>,
  verified: readonly IntegrityFact[] | null,
  nowMs: number,
): GateRow[] => {
  const intent: Intent = {
    kind: 'run',
    subject: plan.id,
    environment: 'production',
    mode: plan.mode,
    digest: null,
    destroys: [],
    nowMs,
  };
  return again(rows, intent, [integrity], verified === null ? {} : { integrity: verified });
};

const again = (
  rows: readonly GateRow[],
  intent: Intent,
  gates: readonly PolicyGate[],
  facts: Facts,
): GateRow[] =>
  rows.map((row) => {
    const gate = gates.find(({ id }) => id === row.gate);
    return gate ? { ...row, ...judge(gate, intent, facts) } : row;
  });

/** Pure. What a run measured of latencies can only add a reason to fail: the rest of P6 was judged before it. */
export const withLatencies = (
  rows: readonly GateRow[],
  latencies: readonly BudgetFact[],
): readonly GateRow[] => {
  const late = latencies.filter(({ latencyMs = 0, maxLatencyMs = Infinity }) => latencyMs > maxLatencyMs);
  if (late.length === 0) return rows;
  return again(rows, BEHIND, [budgets], { budgets: late });
};

/** The gate of budgets asks for facts alone. */
const BEHIND: Intent = {
  kind: 'run',
  subject: '',
  environment: 'production',
  mode: 'live',
  digest: null,
  destroys: [],
  nowMs: 0,
};

/** Whether a plan copies only what the one that was let through copies, too. */
export const copiesWithin = ({ steps }: Plan, admitted: Plan): boolean =>
  steps
    .filter((step) => step.kind === 'copy-table')
    .every(({ stream, table, links }) =>
      admitted.steps.some(
        (other) =>
          other.kind === 'copy-table' &&
          other.stream === stream &&
          other.table === table &&
          links.every((link) => other.links.includes(link)),
      ),
    );
