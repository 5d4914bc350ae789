/**
 * The runner is killed while it copies and the source keeps changing. Every third seed kills it while links join a
 * stream that already runs, which copies on a slot of its own and merges.
 */

import { seededRandom, type SeededRandom } from '../../../fixtures/shop/random.ts';
import type { Pair } from '../../harness/pair.ts';
import { expectSameRows } from '../compare.ts';
import { duringCopy, instantText, reached } from '../instant.ts';
import { LEDGER_TENANT } from '../ledger/schema.ts';
import { expectTidy } from '../leftovers.ts';
import { finish, finishInTime, startRunner, told } from '../runner.ts';
import type { Suite } from '../suite.ts';
import { EVERY_TENANT, makeWorld, replicating, SHOP_TENANTS } from '../world.ts';
import { startWriters } from '../writers.ts';

const NAME = 'kill-runner-copy';
const MAX_KILLS = 4;
/** About 30,000 rows of the shop's tenants, a second or two of copying. */
const SCALE = 0.5;
const LEDGER_ROWS = 20_000;
const FIRST = ['acme', 'globex'] as const;

const run = async (seed: number): Promise<string> => {
  const random = seededRandom(NAME, seed);
  const joins = seed % 3 === 0;
  await using pair = await makeWorld({
    scale: SCALE,
    ledgerRows: LEDGER_ROWS,
    ...(joins ? { only: FIRST } : {}),
  });
  const writers = startWriters(pair.source, {
    seed,
    tenants: EVERY_TENANT,
    shopPerSecond: 60,
    ledgerPerSecond: 8,
    largeRows: 4_000,
  });
  await using _ = writers;
  if (joins) {
    await finish(startRunner(pair, '--once'), 0, 'the copy of the first links');
    await pair.configure(replicating([...SHOP_TENANTS, LEDGER_TENANT]));
  }
  const kills = await killRepeatedly(pair, random);
  const retries = await finishInTime(() => startRunner(pair, '--once'), 'the run after the last kill');
  await writers.stop();
  await finish(startRunner(pair, '--once'), 0, 'the run after the traffic');
  await expectSameRows(pair);
  await expectTidy(pair);
  return `${joins ? 'joining, ' : ''}killed after ${kills.join(', ') || 'nothing'}${retries > 0 ? `, ${retries} retries` : ''}`;
};

/** @returns the instants that hit a living run */
const killRepeatedly = async (pair: Pair, random: SeededRandom): Promise<string[]> => {
  const hits: string[] = [];
  for (let left = random.between(1, MAX_KILLS); left > 0; left--) {
    const runner = startRunner(pair, '--once');
    const instant = duringCopy(random);
    if (await reached(pair, runner, instant)) {
      await runner.kill();
      hits.push(instantText(instant));
      continue;
    }
    const end = await runner.ended;
    if (end.exitCode !== 0)
      throw new Error(`a run that was not killed, after [${hits.join(', ')}]: ${told(end)}`);
  }
  return hits;
};

export const killRunnerCopy: Suite = {
  name: NAME,
  about: 'kill -9 of the runner while it copies',
  run,
};
