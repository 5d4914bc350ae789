/**
 * npm run test:seeds -- [--seeds N] [--from SEED] [--only SUITE] [--seed SEED] [--list]
 *
 * Runs N seeds (3 where absent) of each suite, or of one; goes on after a failure, tells how to replay it, and ends with
 * exit code 1 when there was any.
 */

import { parseArgs } from 'node:util';
import build from '../build-once.ts';
import { runSeed } from './suite.ts';
import { suites } from './suites.ts';

const { values: flags } = parseArgs({
  options: {
    seeds: { type: 'string', default: '3' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    only: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const wholeNumber = (flag: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`--${flag} takes a whole number, not "${text}"`);
  return Number(text);
};

const chosen = suites.filter(({ name }) => flags.only === undefined || name === flags.only);
const first = wholeNumber('from', flags.seed ?? flags.from);
const count = flags.seed === undefined ? wholeNumber('seeds', flags.seeds) : 1;

if (flags.list) for (const { name, about } of suites) say(`${name}  ${about}`);
else if (chosen.length === 0) {
  say(`no suite is called ${flags.only}; there are ${suites.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else await runAll();

async function runAll(): Promise<void> {
  build();
  let passed = 0;
  const failures: string[] = [];
  for (const suite of chosen)
    for (let seed = first; seed < first + count; seed++) {
      const startMs = performance.now();
      try {
        const hit = await runSeed(suite, seed);
        passed++;
        say(`ok   ${suite.name} ${seed} (${((performance.now() - startMs) / 1000).toFixed(1)} s): ${hit}`);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        failures.push(why.split('\n')[0] ?? why);
        say(`FAIL ${why}`);
      }
    }
  for (const failure of failures) say(failure);
  say(`${passed} passed, ${failures.length} failed`);
  if (failures.length > 0) process.exitCode = 1;
}
