/** What the gates judge a plan by: its links and tables, and what the configuration says of signatures and budgets. */

import type { Config } from '../config/schema.ts';
import { approval, type ApprovalFacts } from '../policy/gates/approval.ts';
import type { BudgetFact } from '../policy/gates/budgets.ts';
import type { Facts, Intent } from '../policy/gates/gate.ts';
import type { IsolationFact } from '../policy/gates/isolation.ts';
import type { PersonalFact } from '../policy/gates/personal-data.ts';
import { judge, judgeAll, type GateRow } from '../policy/gates/table.ts';
import { isPersonal } from '../policy/residency.ts';
import type { Link } from '../topology/link.ts';
import { tableName } from '../topology/table.ts';
import type { Finding } from '../validation/finding.ts';
import { destroyedBy } from './destroys.ts';
import type { PolicyContext } from './policy-context.ts';
import type { PlanWish } from './wish.ts';
import type { Plan } from './plan.ts';
import type { Carried } from './publication.ts';
import { flowOf } from './refusals.ts';

interface PlanFrame {
  readonly id: string;
  readonly nowMs: number;
  readonly findings: readonly Finding[];
  /** Database at the source; all of them have one where it is absent. */
  readonly databaseOf?: (link: Link) => string;
  /** Bytes of today; undefined where that is not known. */
  readonly used: (tenant: string, from: string, to: string) => number | undefined;
  /** What is judged, where it is no plan. */
  readonly as?: 'snapshot';
  /** Of a snapshot: every part was looked at where it lies. */
  readonly verified?: boolean;
}

export const gateTable = (
  carried: Carried,
  wish: Pick<PlanWish, 'mode' | 'existing' | 'policy'>,
  frame: PlanFrame,
): GateRow[] => judgeAll(intentOf(carried, wish, frame), factsOf(carried, wish.policy, frame));

/** The table of a plan whose steps were made after its gates were judged: what those destroy asks for approval, too. */
export const withDestroyed = (
  plan: Pick<Plan, 'id' | 'mode' | 'policy' | 'findings' | 'steps'>,
  policy: PolicyContext | undefined,
  nowMs: number,
): GateRow[] => {
  const intent: Intent = {
    kind: 'plan',
    subject: plan.id,
    environment: policy?.environment ?? 'production',
    mode: plan.mode,
    digest: null,
    destroys: destroyedBy(plan, [], undefined),
    nowMs,
  };
  const facts: Facts = policy ? { approval: unapproved(policy) } : {};
  return plan.policy.map((row) =>
    row.gate === approval.id ? { ...row, ...judge(approval, intent, facts) } : row,
  );
};

const unapproved = ({ approvals }: PolicyContext): ApprovalFacts => ({
  ...approvals,
  requester: null,
  given: [],
});

const intentOf = (
  carried: Carried,
  { mode, existing, policy }: Pick<PlanWish, 'mode' | 'existing' | 'policy'>,
  frame: PlanFrame,
): Intent => ({
  kind: frame.as ?? 'plan',
  subject: frame.id,
  environment: policy?.environment ?? 'production',
  mode,
  // The plan's digest covers this table, so no approval of it can be among the facts yet.
  digest: null,
  destroys: destroyedBy({ findings: frame.findings, steps: [] }, [...carried.keys()], existing),
  nowMs: frame.nowMs,
});

const factsOf = (
  carried: Carried,
  policy: PolicyContext | undefined,
  { used, databaseOf, as, verified }: PlanFrame,
): Facts => {
  const links = [...carried.keys()];
  return {
    personal: personalFacts(carried, policy),
    isolation: isolationFacts(carried, databaseOf),
    flows: [...carried].map(([link, tables]) => ({
      ...flowOf(link, tables),
      exit: as ?? ('stream' as const),
    })),
    observability: { longRunning: false, servedAt: null },
    integrity: links.map(({ id, rule }) => ({
      subject: id,
      sha256:
        rule.verify === 'off' ? ('none' as const) : verified ? ('verified' as const) : ('planned' as const),
    })),
    ...(policy
      ? {
          documents: policy.documents,
          budgets: budgetFacts(links, policy.budgets, used),
          approval: unapproved(policy),
        }
      : {}),
  };
};

/** A column that no rule names is not among these: it was refused (XC-2001), or holds its link at its first change. */
const personalFacts = (carried: Carried, policy: PolicyContext | undefined): PersonalFact[] => {
  const tenants = new Map<string, { ruled: boolean; bare: Set<string> }>();
  for (const [link, tables] of carried) {
    const known = tenants.get(link.tenant) ?? { ruled: link.columns !== undefined, bare: new Set() };
    tenants.set(link.tenant, known);
    for (const rule of flowOf(link, tables).rules ?? [])
      if (rule.action === 'allow' && isPersonal(rule)) known.bare.add(rule.column);
  }
  return [...tenants].map(([tenant, { ruled, bare }]) => ({
    tenant,
    ruled,
    unnamed: [],
    bare: [...bare].toSorted(),
    manifest: policy?.manifests.get(tenant) ?? null,
  }));
};

/** Tables are named only where tenants are told apart in more than one way: otherwise no table can be of two. */
const isolationFacts = (carried: Carried, databaseOf: PlanFrame['databaseOf']): IsolationFact[] => {
  const ways = new Set(
    [...carried.keys()].map(({ scope }) => (scope.kind === 'column' ? `column ${scope.column}` : scope.kind)),
  );
  return [...carried].map(([link, tables]) => ({
    ...isolationFact(link),
    ...(ways.size > 1
      ? { tables: tables.map((table) => `${link.source}/${databaseOf?.(link) ?? ''} ${tableName(table)}`) }
      : {}),
  }));
};

const isolationFact = ({ tenant, scope, source }: Link): IsolationFact => {
  switch (scope.kind) {
    case 'column':
      return {
        tenant,
        by: 'column',
        owns: `${source} ${scope.column} ${scope.value}`,
        column: scope.column,
      };
    case 'schema':
      return { tenant, by: 'schema', owns: `${source} ${scope.schema}` };
    case 'database':
      return { tenant, by: 'database', owns: `${source} ${scope.database}` };
  }
};

const budgetFacts = (
  links: readonly Link[],
  budgets: Config['budgets'],
  used: PlanFrame['used'],
): BudgetFact[] => {
  const pairs = new Map(
    links.map(({ tenant, source, target }) => [
      JSON.stringify([tenant, source, target]),
      { tenant, from: source, to: target },
    ]),
  );
  return [...pairs.values()].map((pair) => {
    const budget = budgets.find(
      ({ tenant, from, to }) => tenant === pair.tenant && from === pair.from && to === pair.to,
    );
    if (!budget) return pair;
    const { bytesPerSecond, bytesPerDay, concurrentJobs, maxLatency } = budget;
    const usedToday = used(pair.tenant, pair.from, pair.to);
    return { ...pair, bytesPerSecond, bytesPerDay, concurrentJobs, maxLatencyMs: maxLatency, usedToday };
  });
};
