/** The lines between the runner and both servers break, stall and slow down while it copies and streams. */

import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom, type SeededRandom } from '../../../fixtures/shop/random.ts';
import { startTcpProxy, type TcpProxy } from '../../harness/tcp-proxy.ts';
import { expectSameRows } from '../compare.ts';
import { startFollower } from '../follower.ts';
import { duringCopy, duringStream, reached } from '../instant.ts';
import { expectTidy } from '../leftovers.ts';
import { finishInTime, startRunner } from '../runner.ts';
import type { Suite } from '../suite.ts';
import { EVERY_TENANT, makeWorld } from '../world.ts';
import { startWriters } from '../writers.ts';

const NAME = 'cut-network';
const MIN_FAULTS = 4;
const MAX_FAULTS = 9;
const MAX_FAULT_MS = 1_500;
const MAX_DELAY_MS = 40;

const run = async (seed: number): Promise<string> => {
  const random = seededRandom(NAME, seed);
  await using pair = await makeWorld({ scale: 0.2, ledgerRows: 8_000 });
  await using source = await startTcpProxy({ port: pair.source.port });
  await using target = await startTcpProxy({ port: pair.target.port });
  await pair.useDsn('source', source.dsn(pair.source.dsn));
  await pair.useDsn('target', target.dsn(pair.target.dsn));
  const writers = startWriters(pair.source, {
    seed,
    tenants: EVERY_TENANT,
    shopPerSecond: 60,
    ledgerPerSecond: 8,
    largeRows: 8_000,
  });
  await using _ = writers;
  await using follower = startFollower(pair);
  const faults: string[] = [];
  for (let left = random.between(MIN_FAULTS, MAX_FAULTS); left > 0; left--) {
    const instant = faults.length < 2 ? duringCopy(random) : duringStream(random);
    await reached(pair, await follower.runner(), instant);
    faults.push(await fault(random, { source, target }));
  }
  await writers.stop();
  await follower.catchUp();
  const exits = await follower.stop();
  await finishInTime(() => startRunner(pair, '--once'), 'the run after the traffic');
  await expectSameRows(pair);
  await expectTidy(pair);
  return `${faults.join(', ')}${exits.length > 0 ? `; the runner was started again ${exits.length} times` : ''}`;
};

/** One fault, and its end. @returns what it was */
const fault = async (
  random: SeededRandom,
  proxies: { readonly source: TcpProxy; readonly target: TcpProxy },
): Promise<string> => {
  const side = random.pick(['source', 'target'] as const);
  const kind = random.pick(['cut', 'cut', 'refuse', 'pause', 'stall', 'delay'] as const);
  const forMs = random.between(50, MAX_FAULT_MS);
  const line = proxies[side];
  switch (kind) {
    case 'cut':
      line.cut();
      break;
    case 'refuse': // and whoever is connected is cut off
      line.refuse(true);
      line.cut();
      await sleep(forMs);
      line.refuse(false);
      break;
    case 'pause':
      line.pause(random.pick(['to-server', 'to-client', 'both'] as const));
      await sleep(forMs);
      line.resume();
      break;
    case 'stall': // what is on its way never arrives
      line.pause(random.pick(['to-server', 'to-client'] as const));
      await sleep(forMs);
      line.cut();
      line.resume();
      break;
    case 'delay':
      line.delay(random.between(1, MAX_DELAY_MS));
      await sleep(forMs);
      line.delay(0);
      break;
    default:
      kind satisfies never;
  }
  return `${kind} ${side}`;
};

export const cutNetwork: Suite = { name: NAME, about: 'lines that break, stall and slow down', run };
