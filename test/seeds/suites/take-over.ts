/** A run that stands by takes over from one that is killed, stands still or is cut off, while it copies and streams. */

import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../fixtures/shop/random.ts';
import type { Pair } from '../../harness/pair.ts';
import { startTcpProxy } from '../../harness/tcp-proxy.ts';
import { expectSameRows } from '../compare.ts';
import { duringCopy, duringStream, instantText, reached } from '../instant.ts';
import { expectTidy } from '../leftovers.ts';
import { finishInTime, startRunner, told, type Runner } from '../runner.ts';
import type { Suite } from '../suite.ts';
import { EVERY_TENANT, makeWorld } from '../world.ts';
import { startWriters } from '../writers.ts';

const NAME = 'take-over';
const MAX_TAKEOVERS = 4;
const MAX_LATE_MS = 1_500;
const POLL_MS = 50;
const TAKEN_LIMIT_MS = 120_000;
const LOCKED = 11;
const TERMINATED = 143;
/** The silence is as short as it may be; the waiting itself has no end here. */
const STANDBY = ['--standby', '--take-over-after', '5s', '--lock-timeout', '1h'];

const run = async (seed: number): Promise<string> => {
  const random = seededRandom(NAME, seed);
  await using pair = await makeWorld({ scale: 0.2, ledgerRows: 8_000 });
  await using opened = new AsyncDisposableStack();
  const writers = opened.use(
    startWriters(pair.source, {
      seed,
      tenants: EVERY_TENANT,
      shopPerSecond: 60,
      ledgerPerSecond: 8,
      largeRows: 8_000,
    }),
  );
  const start = async (): Promise<Host> => {
    const host = await startHost(pair);
    opened.defer(() => host.remove());
    return host;
  };
  let active = await start();
  await taken(pair, null, active.runner);
  const faults: string[] = [];
  for (let left = random.between(2, MAX_TAKEOVERS); left > 0; left--) {
    const instant = faults.length === 0 ? duringCopy(random) : duringStream(random);
    if (!(await reached(pair, active.runner, instant)))
      throw new Error(`it ended, after [${faults.join(', ')}]: ${told(await active.runner.ended)}`);
    const before = await holder(pair);
    const kind = random.pick(['kill', 'stand still', 'cut off'] as const);
    const heal = active.break(kind);
    const next = await start();
    await taken(pair, before, next.runner);
    faults.push(`${kind} after ${instantText(instant)}`);
    await sleep(random.between(0, MAX_LATE_MS));
    heal();
    const end = await active.runner.ended;
    if (kind !== 'kill' && end.exitCode !== LOCKED)
      throw new Error(`after [${faults.join(', ')}]: ${told(end)}`);
    active = next;
  }
  await writers.stop();
  const end = await active.runner.stop();
  if (end.exitCode !== TERMINATED) throw new Error(`after [${faults.join(', ')}]: ${told(end)}`);
  await finishInTime(() => startRunner(pair, '--once'), 'the run after the traffic');
  await expectSameRows(pair);
  await expectTidy(pair);
  return faults.join(', ');
};

/** A runner with lines of its own to both servers. */
interface Host {
  readonly runner: Runner;
  /** @returns ends it, where it can be ended */
  break(kind: 'kill' | 'stand still' | 'cut off'): () => void;
  remove(): Promise<void>;
}

const startHost = async (pair: Pair): Promise<Host> => {
  const lines = await Promise.all([startTcpProxy(pair.source), startTcpProxy(pair.target)]);
  const [source, target] = lines;
  await pair.useDsn('source', source.dsn(pair.source.dsn));
  await pair.useDsn('target', target.dsn(pair.target.dsn));
  const runner = startRunner(pair, '--follow', undefined, STANDBY);
  return {
    runner,
    break(kind) {
      switch (kind) {
        case 'kill':
          void runner.kill();
          return () => {};
        case 'stand still':
          runner.signal('SIGSTOP');
          return () => runner.signal('SIGCONT');
        case 'cut off':
          for (const line of lines) line.pause();
          return () => {
            for (const line of lines) line.resume();
          };
      }
    },
    async remove() {
      if (!runner.isOver()) await runner.kill();
      for (const line of lines) await line.close();
    },
  };
};

const holder = async (pair: Pair): Promise<string | null> =>
  (await pair.target.query<{ runner: string | null }>('SELECT runner FROM xcrepl.streams'))[0]?.runner ??
  null;

const taken = async (pair: Pair, before: string | null, by: Runner): Promise<void> => {
  const limit = performance.now() + TAKEN_LIMIT_MS;
  for (;;) {
    const now = await holder(pair);
    if (now !== null && now !== before) return;
    if (by.isOver() || performance.now() > limit)
      throw new Error(`it does not take over: ${told(by.isOver() ? await by.ended : await by.kill())}`);
    await sleep(POLL_MS);
  }
};

export const takeOver: Suite = {
  name: NAME,
  about: 'takeovers from runs that die, stand still or are cut off',
  run,
};
