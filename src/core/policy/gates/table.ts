/** The table of all gates over one intent and its facts, as plans, runs and reports print it. */

import { approval } from './approval.ts';
import { budgets } from './budgets.ts';
import type { Facts, GateId, GateVerdict, Intent, PolicyGate } from './gate.ts';
import { integrity } from './integrity.ts';
import { isolation } from './isolation.ts';
import { observability } from './observability.ts';
import { personalData } from './personal-data.ts';
import { residencyGate } from './residency-gate.ts';
import { signatures } from './signatures.ts';

export const GATES: readonly PolicyGate[] = [
  personalData,
  signatures,
  approval,
  observability,
  isolation,
  budgets,
  integrity,
  residencyGate,
];

export interface GateRow {
  readonly gate: GateId;
  readonly name: string;
  /** NOT_ENFORCED stands in plans of earlier versions alone. */
  readonly verdict: 'PASS' | 'BLOCKED' | 'FAIL' | 'NOT_ENFORCED';
  readonly simulated: boolean;
  readonly reason: string;
}

/** Pure. What is BLOCKED may go on only in simulation, and `simulated` says so. */
export const judge = (gate: PolicyGate, intent: Intent, facts: Facts): GateVerdict => {
  const { verdict, reason } = gate.decide(intent, facts);
  return { verdict, reason, simulated: intent.mode === 'simulation' };
};

export const judgeAll = (intent: Intent, facts: Facts): GateRow[] =>
  GATES.map((gate) => ({ gate: gate.id, name: gate.name, ...judge(gate, intent, facts) }));
