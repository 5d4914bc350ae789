/**
 * What every gate is: a pure function of an intent (what is asked for) and of facts (what was observed about it). Plans,
 * runs, promotions, manifests, route policies and snapshots pass through the same gates, and every report prints their
 * table. A fact that is absent was not observed: the gate that needs it is BLOCKED, never PASS.
 */

import type { IntegrityFact } from './integrity.ts';
import type { ApprovalFacts } from './approval.ts';
import type { BudgetFact } from './budgets.ts';
import type { IsolationFact } from './isolation.ts';
import type { ObservabilityFacts } from './observability.ts';
import type { PersonalFact } from './personal-data.ts';
import type { FlowFact } from './residency-gate.ts';
import type { DocumentFact } from './signatures.ts';

export const INTENT_KINDS = [
  'plan',
  'run',
  'manifest',
  'promotion',
  'demotion',
  'conflict-override',
  'route-policy',
  'snapshot',
  'rebuild',
] as const;
export type IntentKind = (typeof INTENT_KINDS)[number];

export interface Intent {
  readonly kind: IntentKind;
  /** What it is called: a plan's or run's id, a file. */
  readonly subject: string;
  readonly environment: 'production' | 'staging' | 'lab';
  readonly mode: 'live' | 'simulation';
  /** "sha256:…" of what is asked for, which approvals sign; null where it has none yet. */
  readonly digest: string | null;
  /** What of it destroys, in words: "replaces rows of shop.orders on eu-central-1". */
  readonly destroys: readonly string[];
  readonly nowMs: number;
}

/** Each absent where it was not observed. */
export interface Facts {
  /** Each tenant whose rows are concerned. */
  readonly personal?: readonly PersonalFact[];
  /** Signed documents that it rests on. */
  readonly documents?: readonly DocumentFact[];
  readonly approval?: ApprovalFacts;
  readonly observability?: ObservabilityFacts;
  readonly isolation?: readonly IsolationFact[];
  /** One for each tenant and pair of regions, with a budget or without. */
  readonly budgets?: readonly BudgetFact[];
  readonly integrity?: readonly IntegrityFact[];
  /** Everything that would leave a region. */
  readonly flows?: readonly FlowFact[];
}

export const GATE_IDS = ['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'residency'] as const;
export type GateId = (typeof GATE_IDS)[number];

export type Verdict = 'PASS' | 'BLOCKED' | 'FAIL';

/** What one gate finds; `branch` names which of its ways it took, so that tests of a policy can count them. */
export interface Judged {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly branch: string;
}

export interface GateVerdict {
  readonly verdict: Verdict;
  readonly reason: string;
  readonly simulated: boolean;
}

export interface PolicyGate {
  readonly id: GateId;
  readonly name: string;
  /** Every way that `decide` can take. */
  readonly branches: readonly string[];
  decide(intent: Intent, facts: Facts): Judged;
}

/** The branch of every gate whose fact is absent. */
export const UNKNOWN = 'unknown';

export const pass = (branch: string, reason: string): Judged => ({ verdict: 'PASS', reason, branch });
export const fail = (branch: string, reason: string): Judged => ({ verdict: 'FAIL', reason, branch });
export const blocked = (branch: string, reason: string): Judged => ({ verdict: 'BLOCKED', reason, branch });
export const unknown = (what: string): Judged => blocked(UNKNOWN, `${what} could not be judged`);

export const count = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? '' : 's'}`;
