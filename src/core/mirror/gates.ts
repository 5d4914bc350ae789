/** What the gates say of a mirror: objects are opaque, so nothing in them counts as redacted. */

import type { Config } from '../config/schema.ts';
import type { PolicyContext } from '../plan/policy-context.ts';
import type { ApprovalFacts } from '../policy/gates/approval.ts';
import type { BudgetFact } from '../policy/gates/budgets.ts';
import type { Facts, Intent } from '../policy/gates/gate.ts';
import { judgeAll, type GateRow } from '../policy/gates/table.ts';
import { addressOf, type MirrorWish, type Place } from './places.ts';

export interface MirrorGateFacts {
  readonly id: string;
  readonly mode: 'live' | 'simulation';
  /** "sha256:…" of the plan's file, which approvals sign; null before there is one. */
  readonly digest: string | null;
  readonly destroys: readonly string[];
  readonly approval: ApprovalFacts;
  readonly nowMs: number;
}

export const gatesOfMirror = (
  config: Config,
  wish: MirrorWish,
  context: PolicyContext,
  { approval, digest, destroys, id, mode, nowMs }: MirrorGateFacts,
): GateRow[] => {
  const intent: Intent = {
    kind: 'run',
    subject: id,
    environment: config.environment,
    mode,
    digest,
    destroys,
    nowMs,
  };
  return judgeAll(intent, { ...factsOf(config, wish, context), approval });
};

const factsOf = (config: Config, wish: MirrorWish, context: PolicyContext): Facts => ({
  // An object has no columns: residency alone says where it may be.
  personal: [],
  documents: context.documents,
  observability: { longRunning: false, servedAt: null },
  isolation:
    wish.tenant === null
      ? []
      : [wish.source, wish.target].map((place) => ({
          tenant: wish.tenant!,
          by: 'prefix' as const,
          owns: ownedPlace(config, place, wish.tenant),
        })),
  budgets: budgetFacts(wish, context.budgets),
  integrity: [{ subject: wish.id, sha256: 'planned' }],
  flows: wish.tenant === null ? [] : [flowOf(config, wish, wish.tenant)],
});

const ownedPlace = (config: Config, { region }: Place, tenant: string | null): string => {
  const address = addressOf(config, { region, prefix: '' }, tenant);
  return address === null ? `${region} ${tenant ?? ''}` : `${address.store} ${address.prefix}`;
};

const flowOf = (config: Config, { target }: MirrorWish, tenant: string) => ({
  tenant,
  target: { region: target.region, zone: config.regions[target.region]?.zone ?? '' },
  residency: config.tenants[tenant]?.residency,
  rules: undefined,
  exit: 'object' as const,
});

/** A day's bytes are counted and waited for where they flow. */
const budgetFacts = ({ tenant, source, target }: MirrorWish, budgets: Config['budgets']): BudgetFact[] => {
  if (tenant === null) return [];
  const pair = { tenant, from: source.region, to: target.region };
  const found = budgets.find(
    (one) => one.tenant === tenant && one.from === source.region && one.to === target.region,
  );
  return [
    found ? { ...pair, bytesPerSecond: found.bytesPerSecond, concurrentJobs: found.concurrentJobs } : pair,
  ];
};
