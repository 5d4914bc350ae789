/** `replication run --plan FILE` of a plan that repairs rows: beside whatever runs, and without streaming itself. */

import { XcError } from '../../core/errors/xc-error.ts';
import { makePlan } from '../../core/plan/make-plan.ts';
import type { PlanWish } from '../../core/plan/wish.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { StreamEngine } from '../../core/replication/engine.ts';
import { engineRunners } from '../../core/run/engine-runners.ts';
import { Executor } from '../../core/run/executor.ts';
import { RunProgress } from '../../core/run/progress.ts';
import { planToRun } from '../../core/run/resume.ts';
import type { SessionEnd } from '../../core/run/session.ts';
import type { Stream, StreamKey } from '../../core/topology/link.ts';
import { prometheusMetrics } from '../../providers/prometheus/replication-metrics.ts';
import type { StateDirectory } from '../../providers/system/state-directory.ts';
import type { Host } from '../frame/host.ts';
import { narrate } from './narrate.ts';
import { gatherToPlan } from './planning.ts';
import type { Selected } from './selection.ts';

export interface RowRepair {
  readonly reviewed: Plan;
  readonly wish: PlanWish;
  readonly selected: Selected;
  readonly run: string;
  readonly store: StateDirectory;
  /** Refuses what the gates do not let through. */
  readonly admit: (plan: Plan) => Promise<void>;
  readonly open: (stream: Stream, progress: RunProgress) => StreamEngine;
}

/** @throws XcError XC-3001 where what the plan rests on has moved */
export const runRowRepair = async (host: Host, repair: RowRepair): Promise<SessionEnd> => {
  const { reviewed, selected, run, store } = repair;
  const plan = await stillGood(host, repair);
  await repair.admit(plan);
  const narration = narrate(host);
  const progress = new RunProgress(prometheusMetrics(), narration.progress);
  await using opened = new AsyncDisposableStack();
  const engines = new Map<StreamKey, StreamEngine>();
  for (const stream of selected.streams)
    if (plan.steps.some((step) => step.stream === stream.key))
      engines.set(stream.key, opened.use(repair.open(stream, progress)));
  const executor = new Executor(run, reviewed.id, {
    runners: engineRunners(engines, progress),
    journal: await store.begin(run, plan),
    clock: host.clock,
    observer: narration.steps,
  });
  try {
    await executor.execute(plan, host.signal);
  } finally {
    narration.end();
  }
  return {
    plan,
    errors: [],
    errored: [],
    interruption: host.signal.aborted ? host.signal.reason : undefined,
    cutShort: false,
    lagging: false,
  };
};

const stillGood = async (host: Host, { reviewed, wish, selected }: RowRepair): Promise<Plan> => {
  const missing = reviewed.steps.find((step) => !selected.streams.some(({ key }) => key === step.stream));
  if (missing)
    throw new XcError('XC-3001', {
      subject: reviewed.id,
      why: `stream ${missing.stream} is not configured any more`,
    });
  const facts = await gatherToPlan(host, selected, selected.streams);
  const nowMs = host.clock.nowMs();
  return planToRun(reviewed, makePlan(facts, wish, { id: reviewed.id, nowMs }), nowMs);
};
