/** The gates of a run: the plan's own table, with what only the run knows judged again. */

import type { Plan } from '../plan/plan.ts';
import { destroyedBy } from '../plan/gates.ts';
import { approval, type ApprovalFacts } from '../policy/gates/approval.ts';
import type { Facts, Intent, PolicyGate } from '../policy/gates/gate.ts';
import { integrity, type IntegrityFact } from '../policy/gates/integrity.ts';
import { observability, type ObservabilityFacts } from '../policy/gates/observability.ts';
import { judge, type GateRow } from '../policy/gates/table.ts';
import type { Link } from '../topology/link.ts';

export interface RunFacts {
  readonly environment: Intent['environment'];
  readonly links: readonly Pick<Link, 'target'>[];
  /** Whether the plan itself says that rows are replaced, so that approvals of it cover that. */
  readonly existing: 'replace' | undefined;
  readonly approval: ApprovalFacts;
  readonly observability: ObservabilityFacts;
  readonly nowMs: number;
}

/** Before anything is done. */
export const gatesOfRun = (plan: Plan, facts: RunFacts): GateRow[] => {
  const intent: Intent = {
    kind: 'run',
    subject: plan.id,
    environment: facts.environment,
    mode: plan.mode,
    digest: facts.existing === plan.wish.existing ? plan.digest : null,
    destroys: destroyedBy(facts.links, facts.existing, plan.findings),
    nowMs: facts.nowMs,
  };
  return again(plan.policy, intent, [approval, observability], facts);
};

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
