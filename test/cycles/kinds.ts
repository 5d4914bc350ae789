/** Ways in which a run starts and ends, most of them not in good order. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from '../../fixtures/shop/random.ts';
import { isXcError } from '../../src/core/errors/xc-error.ts';
import { slotName } from '../../src/core/topology/link.ts';
import { openTestEngine, type TestEngine } from '../engine/test-engine.ts';
import type { Pair } from '../harness/pair.ts';
import { startRunner, type Runner } from '../seeds/runner.ts';

export interface Cycle {
  readonly pair: Pair;
  readonly random: SeededRandom;
}

/** Long enough that a session is anywhere in its work when it ends. */
const MAX_MOMENT_MS = 60;

const moment = (random: SeededRandom): Promise<void> => sleep(random.between(0, MAX_MOMENT_MS));

const write = async ({ pair, random }: Cycle): Promise<void> => {
  const id = random.between(1, 1_000);
  await pair.source.query(
    `INSERT INTO app.t SELECT $1 + g, 'written' FROM generate_series(0, 5) AS g ON CONFLICT (id) DO UPDATE SET v = app.t.v || '.'`,
    [id],
  );
  await pair.source.query('DELETE FROM app.t WHERE id = $1', [random.between(1, 1_000)]);
  await pair.source.query(`INSERT INTO app.notes VALUES ($1, 'note')`, [id]);
};

const follow = (engine: TestEngine, signal: AbortSignal): Promise<unknown> =>
  engine.engine.streamChanges(
    {
      id: 's',
      kind: 'stream-changes',
      stream: engine.stream.key,
      dependsOn: [],
      slot: slotName(engine.stream.key),
      until: 'stopped',
    },
    { until: null, signal },
  );

export const whole = async (cycle: Cycle): Promise<void> => {
  await using engine = await openTestEngine(cycle.pair);
  await engine.engine.acquire();
  await write(cycle);
  await engine.catchUp();
};

const abortedStream = async (cycle: Cycle): Promise<void> => {
  await using engine = await openTestEngine(cycle.pair);
  await engine.engine.acquire();
  const stop = new AbortController();
  const streaming = follow(engine, stop.signal);
  await Promise.all([write(cycle), moment(cycle.random)]);
  stop.abort();
  await streaming;
};

/** As when the process is told to stop before it has begun. */
const abortedAtOnce = async ({ pair }: Cycle): Promise<void> => {
  await using engine = await openTestEngine(pair);
  await engine.engine.acquire();
  await follow(engine, AbortSignal.abort());
};

/** Nobody says stop: the sessions break under it, on either side, and the caller gives up. */
const cutOff = async (cycle: Cycle): Promise<void> => {
  const { pair, random } = cycle;
  const stop = new AbortController();
  await using engine = await openTestEngine(pair);
  await engine.engine.acquire();
  const streaming = follow(engine, stop.signal);
  await Promise.all([write(cycle), moment(random)]);
  await pair[random.pick(['source', 'target'] as const)].query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'xcrepl test:%'`,
  );
  await moment(random);
  stop.abort();
  // Between two sessions of the stream there is nobody to try again but the caller.
  await streaming.catch((error: unknown) =>
    isXcError(error, 'XC-6001') ? undefined : Promise.reject(error as Error),
  );
};

/** The engine is closed while it streams. */
const closedInTheMiddle = async (cycle: Cycle): Promise<void> => {
  const stop = new AbortController();
  const engine = await openTestEngine(cycle.pair, { signal: stop.signal });
  await engine.engine.acquire();
  const streaming = follow(engine, stop.signal);
  streaming.catch(() => undefined);
  await Promise.all([write(cycle), moment(cycle.random)]);
  await engine[Symbol.asyncDispose]();
  stop.abort(new DOMException('closed', 'AbortError'));
  await streaming.catch(() => undefined);
};

const neverStarted = async ({ pair }: Cycle): Promise<void> => {
  await using _ = await openTestEngine(pair);
};

const lockedOut = async ({ pair }: Cycle): Promise<void> => {
  await using holder = await openTestEngine(pair);
  await holder.engine.acquire();
  await using second = await openTestEngine(pair);
  await second.engine.acquire().then(
    () => Promise.reject(new Error('two runs hold one stream')),
    (error: unknown) => (isXcError(error, 'XC-7002') ? undefined : Promise.reject(error as Error)),
  );
};

/** The link is dropped with everything of its stream, and copied anew; the copy is given up once in its middle. */
const copiedAnew = async (cycle: Cycle): Promise<void> => {
  {
    await using engine = await openTestEngine(cycle.pair);
    await engine.engine.acquire();
    for (const link of engine.stream.links) await engine.engine.dropLink(link.id);
  }
  {
    await using engine = await openTestEngine(cycle.pair, { existing: 'replace' });
    const stop = new AbortController();
    await engine.engine.acquire();
    await engine.publish();
    await engine.createSlot();
    const steps = await engine.copySteps(6);
    const copying = Promise.all(steps.map((step) => engine.engine.copyTable(step, stop.signal)));
    copying.catch(() => undefined);
    await Promise.all([write(cycle), moment(cycle.random)]);
    stop.abort();
    await copying.catch(() => undefined);
  }
  await using engine = await openTestEngine(cycle.pair, { existing: 'replace' });
  await engine.engine.acquire();
  await engine.publish();
  await engine.createSlot();
  for (const step of await engine.copySteps(6))
    await engine.engine.copyTable(step, new AbortController().signal);
  await engine.catchUp();
};

const KINDS = [
  whole,
  abortedStream,
  abortedStream,
  abortedAtOnce,
  cutOff,
  closedInTheMiddle,
  neverStarted,
  lockedOut,
  copiedAnew,
];

export const anyKind = (random: SeededRandom): ((cycle: Cycle) => Promise<void>) => random.pick(KINDS);

/** A process of its own, killed while it follows. */
export const killedProcess = async (cycle: Cycle): Promise<void> => {
  const runner = startRunner(cycle.pair, '--follow');
  await working(cycle, runner).catch(async (error: unknown) => {
    await runner.kill();
    throw error;
  });
  const end = await runner.kill();
  if (end.signal !== 'SIGKILL') throw new Error(`the run ended by itself: ${end.stderr}`);
};

const working = async (cycle: Cycle, runner: Runner): Promise<void> => {
  while (!runner.isOver() && !(await isStreaming(cycle.pair))) await sleep(20);
  await Promise.all([write(cycle), moment(cycle.random)]);
};

const isStreaming = async ({ source }: Pair): Promise<boolean> => {
  const rows = await source.query(
    `SELECT FROM pg_replication_slots WHERE database = current_database() AND active`,
  );
  return rows.length > 0;
};
