/** The runner is killed while it streams: small transactions all the time, and large ones among them. */

import { seededRandom } from '../../../fixtures/shop/random.ts';
import { expectSameRows } from '../compare.ts';
import { duringStream, instantText, reached } from '../instant.ts';
import { expectTidy } from '../leftovers.ts';
import { expectNothingAhead } from '../positions.ts';
import { finish, finishInTime, startRunner, told } from '../runner.ts';
import type { Suite } from '../suite.ts';
import { EVERY_TENANT, makeWorld } from '../world.ts';
import { startWriters } from '../writers.ts';

const NAME = 'kill-runner-stream';
const MAX_KILLS = 5;
/** Far more than a batch of the stream holds at once when the rows are counted together. */
const LARGE_ROWS = 20_000;

const run = async (seed: number): Promise<string> => {
  const random = seededRandom(NAME, seed);
  await using pair = await makeWorld({ scale: 0.1, ledgerRows: 4_000 });
  await finish(startRunner(pair, '--once'), 0, 'the copy');
  const writers = startWriters(pair.source, {
    seed,
    tenants: EVERY_TENANT,
    shopPerSecond: 80,
    ledgerPerSecond: 12,
    largeRows: LARGE_ROWS,
  });
  await using _ = writers;
  const hits: string[] = [];
  for (let left = random.between(2, MAX_KILLS); left > 0; left--) {
    const runner = startRunner(pair, '--follow');
    const instant = duringStream(random);
    if (!(await reached(pair, runner, instant)))
      throw new Error(`the run ended by itself, after [${hits.join(', ')}]: ${told(await runner.ended)}`);
    await runner.kill();
    hits.push(instantText(instant));
    await expectNothingAhead(pair);
  }
  await writers.stop();
  const retries = await finishInTime(() => startRunner(pair, '--once'), 'the run after the traffic');
  await expectSameRows(pair);
  await expectTidy(pair);
  return `killed after ${hits.join(', ')}${retries > 0 ? `, ${retries} retries` : ''}`;
};

export const killRunnerStream: Suite = {
  name: NAME,
  about: 'kill -9 of the runner while it streams',
  run,
};
