/**
 * A server is killed with its postmaster and started again, while the runner copies and then streams. The runner has to
 * live through it; what it told the source must still be there when the target comes back, although its commits do not
 * wait for the disk.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom, type SeededRandom } from '../../../fixtures/shop/random.ts';
import type { Pair } from '../../harness/pair.ts';
import { expectSameRows } from '../compare.ts';
import { startFollower, type Follower } from '../follower.ts';
import { duringCopy, duringStream, instantText, reached } from '../instant.ts';
import { expectTidy } from '../leftovers.ts';
import { acknowledged, expectNothingAhead } from '../positions.ts';
import { finishInTime, startRunner } from '../runner.ts';
import type { Suite } from '../suite.ts';
import { EVERY_TENANT, makeWorld } from '../world.ts';
import { startWriters } from '../writers.ts';

type Side = 'source' | 'target';

const MAX_KILLS = 3;
const MAX_DOWN_MS = 1_500;
/** Acknowledgements that were on their way when the target died arrive within this. */
const ON_THE_WAY_MS = 200;

const runOn =
  (side: Side, name: string) =>
  async (seed: number): Promise<string> => {
    const random = seededRandom(name, seed);
    await using pair = await makeWorld({ scale: 0.2, ledgerRows: 8_000, private: true });
    const writers = startWriters(pair.source, {
      seed,
      tenants: EVERY_TENANT,
      shopPerSecond: 60,
      ledgerPerSecond: 8,
      largeRows: 8_000,
    });
    await using _ = writers;
    await using follower = startFollower(pair);
    const hits: string[] = [];
    for (let left = random.between(2, MAX_KILLS); left > 0; left--)
      hits.push(await killOnce(side, pair, follower, random, hits.length === 0 && random.chance(0.5)));
    await writers.stop();
    await follower.catchUp();
    const exits = await follower.stop();
    await finishInTime(() => startRunner(pair, '--once'), 'the run after the traffic');
    await expectSameRows(pair);
    await expectTidy(pair);
    return `killed after ${hits.join(', ')}${exits.length > 0 ? `, the runner was started again ${exits.length} times` : ''}`;
  };

const killOnce = async (
  side: Side,
  pair: Pair,
  follower: Follower,
  random: SeededRandom,
  copying: boolean,
): Promise<string> => {
  const instant = copying ? duringCopy(random) : duringStream(random);
  const downMs = random.between(0, MAX_DOWN_MS);
  while (!(await reached(pair, await follower.runner(), instant)));
  await pair.control[side].kill();
  await sleep(Math.max(downMs, side === 'target' ? ON_THE_WAY_MS : 0));
  const told = side === 'target' ? await acknowledged(pair) : null;
  await pair.control[side].start();
  if (told) await expectNothingAhead(pair, told);
  return `${instantText(instant)} (down ${downMs} ms)`;
};

const suiteOf = (side: Side): Suite => ({
  name: `kill-${side}`,
  about: `kill -9 of the ${side}'s server`,
  run: runOn(side, `kill-${side}`),
});

export const killTarget = suiteOf('target');
export const killSource = suiteOf('source');
