/** P6: what one tenant may use between two regions. Over budget means slower, then paused with a reason, never dropped. */

import { blocked, count, fail, pass, unknown, type PolicyGate } from './gate.ts';

export interface BudgetFact {
  readonly tenant: string;
  readonly from: string;
  readonly to: string;
  /** Absent: no limit. */
  readonly bytesPerSecond?: number | undefined;
  readonly bytesPerDay?: number | undefined;
  readonly concurrentJobs?: number | undefined;
  readonly maxLatencyMs?: number | undefined;
  /** What was used; absent where it was not measured. */
  readonly usedToday?: number | undefined;
  readonly jobs?: number | undefined;
  readonly latencyMs?: number | undefined;
}

const isLimited = (fact: BudgetFact): boolean =>
  fact.bytesPerSecond !== undefined ||
  fact.bytesPerDay !== undefined ||
  fact.concurrentJobs !== undefined ||
  fact.maxLatencyMs !== undefined;

export const budgets: PolicyGate = {
  id: 'P6',
  name: 'budgets',
  branches: ['unknown', 'none', 'day-unmeasured', 'day-used-up', 'too-many-jobs', 'too-slow', 'within'],
  decide(_intent, { budgets: facts }) {
    if (!facts) return unknown('what is used of budgets');
    const limited = facts.filter(isLimited);
    if (limited.length === 0) return pass('none', 'no budget limits what is concerned');
    for (const fact of limited) {
      const who = `${fact.tenant} from ${fact.from} to ${fact.to}`;
      if (fact.bytesPerDay !== undefined) {
        if (fact.usedToday === undefined)
          return blocked('day-unmeasured', `${who}: what was used of today's bytes is not known`);
        if (fact.usedToday >= fact.bytesPerDay)
          return blocked(
            'day-used-up',
            `${who}: ${fact.usedToday} of ${fact.bytesPerDay} bytes of today are used; it waits for the next day`,
          );
      }
      if (fact.concurrentJobs !== undefined && (fact.jobs ?? 0) > fact.concurrentJobs)
        return fail('too-many-jobs', `${who}: ${fact.jobs} jobs at once, ${fact.concurrentJobs} are allowed`);
      if (fact.maxLatencyMs !== undefined && (fact.latencyMs ?? 0) > fact.maxLatencyMs)
        return fail('too-slow', `${who}: ${fact.latencyMs} ms late, ${fact.maxLatencyMs} ms are allowed`);
    }
    const free = facts.length - limited.length;
    const later = limited.some((fact) => fact.maxLatencyMs !== undefined && fact.latencyMs === undefined);
    const rest = [
      ...(free > 0 ? [`; ${free} without a limit`] : []),
      ...(later ? ['; latency is judged by what the run measures'] : []),
    ].join('');
    return pass('within', `${count(limited.length, 'pair')} of tenant and regions within budget${rest}`);
  },
};
