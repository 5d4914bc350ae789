/** A run in the audit log: that it began, and how it ended; what it did to each link is written with the rows. */

import { digest } from '../../core/plan/basis.ts';
import type { RunReport } from '../../core/report/report.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { JournalEntry } from '../../core/run/journal.ts';
import type { Host } from '../frame/host.ts';
import type { RunPolicy } from './run-policy.ts';

/** How often a run that follows brings what it wrote with the rows into the log, and anchors it. */
const SETTLE_MS = 60_000;

/** A plan that is refused changed nothing, so it is not told of. */
export const recordBegin = async (
  host: Host,
  run: string,
  plan: Plan,
  { approvers, approvedDigest }: Pick<RunPolicy, 'approvers' | 'approvedDigest'>,
): Promise<void> => {
  await host.audit.append({
    action: 'replication.run-begin',
    subject: run,
    run,
    plan: plan.id,
    before: plan.basis,
    facts: {
      planDigest: plan.digest,
      links: plan.wish.links.length,
      steps: plan.steps.length,
      ...(approvers.length > 0 ? { approvers: approvers.join(' ') } : {}),
      ...(approvedDigest !== null && approvedDigest !== plan.digest ? { approvedDigest } : {}),
    },
  });
};

export const recordEnd = async (
  host: Host,
  report: RunReport,
  plan: Plan,
  entries: readonly JournalEntry[],
): Promise<void> => {
  await host.audit.append({
    action: 'replication.run-end',
    subject: report.run,
    run: report.run,
    plan: plan.id,
    before: plan.basis,
    after: digest(JSON.parse(JSON.stringify(report))),
    facts: {
      outcome: report.outcome,
      exit: report.exit,
      copiedRows: report.totals.copiedRows,
      changes: report.totals.changes,
      planDigest: plan.digest,
      journal: digest(entries),
    },
  });
};

/** Until it is disposed of. */
export const settlingNowAndThen = (host: Host): AsyncDisposable => {
  const over = new AbortController();
  const loop = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await host.clock.sleep(SETTLE_MS, over.signal).catch(() => undefined);
      if (!over.signal.aborted) await host.audit.settle();
    }
  };
  const running = loop();
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await running;
    },
  };
};
