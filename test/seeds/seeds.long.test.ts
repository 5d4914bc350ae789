/**
 * Seeds that are quick, of those that once showed a mistake; a check of a whole checkout runs one of each suite besides.
 * Many more by hand: npm run test:seeds -- --seeds N [--only SUITE].
 */

import { expect, test } from 'vitest';
import { runSeed, type Suite } from './suite.ts';
import { cutNetwork } from './suites/cut-network.ts';
import { cycles } from './suites/cycles.ts';
import { fuzz } from './suites/fuzz.ts';
import { links } from './suites/links.ts';
import { killRunnerCopy } from './suites/kill-runner-copy.ts';
import { killRunnerStream } from './suites/kill-runner-stream.ts';
import { killSource, killTarget } from './suites/kill-server.ts';
import { takeOver } from './suites/take-over.ts';
import { workload } from './suites/workload.ts';
import { suites } from './suites.ts';

const SEEDS: ReadonlyMap<Suite, readonly number[]> = new Map([
  [killRunnerCopy, []],
  [killRunnerStream, [2]],
  [killTarget, []],
  [killSource, []],
  [cutNetwork, []],
  [fuzz, []],
  [cycles, []],
  [workload, [1]],
  [links, [6]],
  [takeOver, [6]],
]);

const cases = suites.flatMap((suite) => (SEEDS.get(suite) ?? []).map((seed) => ({ suite, seed })));

test.each(cases)('$suite.about: $suite.name, seed $seed', async ({ suite, seed }) => {
  expect(await runSeed(suite, seed)).not.toBe('');
});

test('every suite is named here', () => {
  expect([...SEEDS.keys()].toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
    suites.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  );
});
