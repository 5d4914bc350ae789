import { describe, expect, test } from 'vitest';
import { scenarios } from './registry.ts';
import { runsOfSeveral } from './runs-of-several.ts';
import { runs } from './runs.ts';
import type { Scenario } from './scenario.ts';
import { runStage, type StreamedScenario } from './stage.ts';

const isStreamed = (scenario: Scenario): scenario is StreamedScenario => scenario.shown.kind === 'streamed';
const streamed = scenarios.filter(isStreamed);
const named = (kind: string): string[] =>
  scenarios.filter(({ shown }) => shown.kind === kind).map(({ name }) => name);

const steps = { ...runs, ...runsOfSeveral };

describe('conformance', async () => {
  let stage: ReturnType<typeof runStage> | null = null;

  test.each(streamed)('$source: $name', async ({ name }) => {
    const outcomes = await (stage ??= runStage(streamed));
    expect(outcomes.get(name)).toEqual([]);
  });

  test.each(named('run'))('%s', async (name) => {
    await steps[name]!();
  });

  test('every scenario with steps of its own has them', () => {
    expect(named('run').toSorted()).toEqual(Object.keys(steps).toSorted());
  });

  test('no two scenarios have one name', () => {
    expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  });
});
