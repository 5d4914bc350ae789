/** Plans for an engine as a run does, and runs the steps, so that a test decides nothing that the product decides. */

import { engineRunners } from '../../src/core/run/engine-runners.ts';
import { RunProgress } from '../../src/core/run/progress.ts';
import { runnerOf } from '../../src/core/run/step-runner.ts';
import type { StepResult } from '../../src/core/run/journal.ts';
import { makePlan } from '../../src/core/plan/make-plan.ts';
import type { Plan, Step } from '../../src/core/plan/plan.ts';
import { gatherFacts } from '../../src/providers/postgres/facts.ts';
import { systemClock } from '../../src/providers/system/clock.ts';
import { prometheusMetrics } from '../../src/providers/prometheus/replication-metrics.ts';
import type { Stream } from '../../src/core/topology/link.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import type { EnginePair, TestEngine } from './test-engine.ts';

export const planFor = async (
  pair: EnginePair,
  stream: Stream,
  { repair = false, selected = stream.links.map((link) => link.id) } = {},
): Promise<Plan> => {
  const facts = await gatherFacts({
    streams: [stream],
    selected: new Set(),
    dsns: new Map([
      [SOURCE_REGION, pair.source.dsn],
      [TARGET_REGION, pair.target.dsn],
    ]),
    roles: new Map([[SOURCE_REGION, 'primary' as const]]),
    clock: systemClock,
    signal: new AbortController().signal,
  });
  const wish = {
    selected: new Set(selected),
    repair,
    hashKeys: ['k1'],
    config: 'sha256:0',
    mode: 'live' as const,
  };
  return makePlan(facts, wish, { id: `pl_${performance.now()}`, nowMs: 0 });
};

/** @returns what each step gave, by its kind and what it worked on */
export const runSteps = async (
  { engine, stream }: Pick<TestEngine, 'engine' | 'stream'>,
  steps: readonly Step[],
): Promise<{ readonly step: Step; readonly result: StepResult }[]> => {
  const runners = engineRunners(new Map([[stream.key, engine]]), new RunProgress(prometheusMetrics()));
  const done: { step: Step; result: StepResult }[] = [];
  for (const step of steps)
    done.push({ step, result: await runnerOf(runners, step).run(step, new AbortController().signal) });
  return done;
};

/** @returns the kinds of the steps that were run */
export const runPlan = async (
  pair: EnginePair,
  test: Pick<TestEngine, 'engine' | 'stream'>,
  wish: Parameters<typeof planFor>[2] = {},
): Promise<string[]> => {
  const { steps } = await planFor(pair, test.stream, wish);
  await runSteps(test, steps);
  return steps.map((step) => step.kind);
};
