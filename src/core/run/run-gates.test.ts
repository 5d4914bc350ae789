/** What an approval of a plan covers, once it runs. */

import { expect, it } from 'vitest';
import { config, facts, wish } from '../plan/facts.fixture.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan, RepairRows } from '../plan/plan.ts';
import { linksOf } from '../topology/link.ts';
import { copiesWithin, gatesOfRun, withLatencies, type RunFacts } from './run-gates.ts';

const DAY_MS = 24 * 3_600_000;
const made = (existing?: 'replace'): Plan =>
  makePlan(facts(config()), wish(config(), existing ? { existing } : {}), { id: 'pl', nowMs: 0 });

/** Approved by two, a minute ago. */
const asked = (of: Plan, more: Partial<RunFacts> = {}): RunFacts => ({
  environment: 'production',
  reviewed: of,
  links: linksOf(config()),
  existing: of.wish.existing,
  approval: {
    required: 2,
    keys: 2,
    requester: 'R',
    given: ['A', 'B'].map((name) => ({
      keyId: name,
      name,
      digest: of.digest,
      approvedAtMs: 0,
      expiresAtMs: 365 * DAY_MS,
    })),
  },
  observability: { longRunning: false, servedAt: null },
  nowMs: 60_000,
  ...more,
});

const p3 = (run: Plan, of: RunFacts): string => {
  const { verdict, reason } = gatesOfRun(run, of).find(({ gate }) => gate === 'P3')!;
  return `${verdict}: ${reason}`;
};

it('what is left of an approved plan that was cut short is approved with it; another plan is not', () => {
  const whole = made('replace');
  const left = { ...whole, steps: whole.steps.slice(1), digest: 'sha256:other' };
  expect(p3(left, asked(whole))).toMatch(/^PASS/);
  expect(p3(left, asked(whole, { reviewed: null }))).toMatch(/^FAIL.*0 given/);
});

it('an approval of a plan that does not say so covers no rows that are replaced', () => {
  expect(p3(made(), asked(made(), { existing: 'replace' }))).toMatch(/^FAIL/);
});

it('whoever runs it says how long an approval is good for, whatever the approver wrote', () => {
  const plan = made('replace');
  const approval = { ...asked(plan).approval, validForMs: DAY_MS };
  expect(p3(plan, asked(plan, { approval, nowMs: DAY_MS - 1 }))).toMatch(/^PASS/);
  expect(p3(plan, asked(plan, { approval, nowMs: DAY_MS }))).toMatch(/^FAIL.*has expired/);
});

it('overwriting rows destroys, adding what is missing does not', () => {
  const plan = made();
  const repair = (kind: 'changed' | 'missing'): Plan => ({
    ...plan,
    digest: `sha256:${kind}`,
    steps: [{ kind: 'repair-rows', table: 'shop.t', rows: [{ kind }] } as unknown as RepairRows],
  });
  expect(p3(repair('missing'), asked(plan, { reviewed: null }))).toMatch(/^PASS/);
  expect(p3(repair('changed'), asked(plan, { reviewed: null }))).toMatch(
    /^FAIL: overwrites 1 rows of shop.t/,
  );
});

it('what is planned later is within a plan only table for table and link for link', () => {
  const plan = made('replace');
  const copies = plan.steps.filter((step) => step.kind === 'copy-table');
  expect(copies.length).toBeGreaterThan(0);
  expect(copiesWithin(plan, plan)).toBe(true);
  const of = (change: object): Plan => ({ ...plan, steps: copies.map((step) => ({ ...step, ...change })) });
  expect(copiesWithin(of({ table: 'shop.later' }), plan)).toBe(false);
  expect(copiesWithin(of({ links: ['shop:later:us:eu'] }), plan)).toBe(false);
  expect(copiesWithin({ ...plan, steps: [] }, plan)).toBe(true);
});

it('a tenant that was later than its budget allows fails P6 in the report, and nothing else changes', () => {
  const rows = made().policy;
  const fact = { tenant: 'acme', from: 'us', to: 'eu', maxLatencyMs: 100 };
  expect(withLatencies(rows, [{ ...fact, latencyMs: 100 }])).toBe(rows);
  const after = withLatencies(rows, [{ ...fact, latencyMs: 101 }]);
  expect(after.find(({ gate }) => gate === 'P6')).toMatchObject({
    verdict: 'FAIL',
    reason: 'acme from us to eu: 101 ms late, 100 ms are allowed',
  });
  expect(after.filter(({ gate }) => gate !== 'P6')).toEqual(rows.filter(({ gate }) => gate !== 'P6'));
});
