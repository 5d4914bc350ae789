/** Many starts and ends, one after another, and that nothing of them stays. */

import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../fixtures/shop/random.ts';
import { pairOf } from '../engine/empty-pair.ts';
import { openTestEngine } from '../engine/test-engine.ts';
import type { Pair } from '../harness/pair.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { footprint, ownFootprint, type Footprint } from './footprint.ts';
import { anyKind, killedProcess, whole } from './kinds.ts';

const SQL = `
  CREATE TABLE app.t (id int PRIMARY KEY, v text);
  CREATE TABLE app.notes (n int, label text)`;

export interface CyclesOptions {
  readonly seed: number;
  readonly cycles: number;
  /** Of these, processes of their own that are killed. */
  readonly killed: number;
}

/** Caches and code that is compiled late; a leak of 50 kB a cycle passes it within 200. */
const MAX_HEAP_GROWTH_BYTES = 8 * 2 ** 20;
/** Connections of the test's own pool come and go. */
const OWN_CONNECTIONS = 4;
const WARM_UP = 5;
/** Servers notice the end of a killed client. */
const SETTLE_MS = 30_000;
const POLL_MS = 50;

/** @returns what was done, in a line. @throws Error that names what stayed */
export const runCycles = async ({ seed, cycles, killed }: CyclesOptions): Promise<string> => {
  const random = seededRandom('cycles', seed);
  await using pair = await pairOf(SQL);
  await pair.source.query(`INSERT INTO app.t SELECT g, 'first' FROM generate_series(1, 400) AS g`);
  const warnings: string[] = [];
  const warn = (warning: Error): void => void warnings.push(warning.message);
  process.on('warning', warn);
  try {
    const untouched = await footprint(pair);
    await copyOnce(pair);
    const idle = await footprint(pair);
    const done = new Map<string, number>();
    for (let n = 0; n < WARM_UP; n++) await whole({ pair, random });
    const before = await ownFootprint();
    for (let n = 0; n < cycles; n++) {
      const kind = isKilled(n, cycles, killed) ? killedProcess : anyKind(random);
      done.set(kind.name, (done.get(kind.name) ?? 0) + 1);
      await kind({ pair, random }).catch((error: unknown) => {
        const why = error instanceof Error ? error.stack : String(error);
        throw new Error(`cycle ${n}, ${kind.name}: ${why}`, { cause: error });
      });
      if (kind === killedProcess) await expectSettled(pair, idle, `cycle ${n}, ${kind.name}`);
    }
    await whole({ pair, random });
    await expectSettled(pair, idle, 'all cycles');
    await expectOwn(before);
    await expectSame(pair);
    await drop(pair);
    await expectSettled(pair, untouched, 'the drop');
    if (warnings.length > 0) throw new Error(`warnings: ${warnings.join('; ')}`);
    return [...done].map(([name, times]) => `${times} ${name}`).join(', ');
  } finally {
    process.off('warning', warn);
  }
};

/** Spread evenly over the cycles. */
const isKilled = (n: number, cycles: number, killed: number): boolean =>
  Math.floor(((n + 1) * killed) / cycles) > Math.floor((n * killed) / cycles);

const copyOnce = async (pair: Pair): Promise<void> => {
  await using engine = await openTestEngine(pair);
  await engine.copyAndStream();
};

const drop = async (pair: Pair): Promise<void> => {
  await using engine = await openTestEngine(pair);
  await engine.engine.acquire();
  for (const link of engine.stream.links) await engine.engine.dropLink(link.id);
};

const expectSettled = async (pair: Pair, wanted: Footprint, after: string): Promise<void> => {
  const end = performance.now() + SETTLE_MS;
  for (;;) {
    const found = await footprint(pair);
    if (isDeepStrictEqual(found, wanted)) return;
    if (performance.now() > end) {
      const wrong = Object.keys(wanted).filter((part) => !isDeepStrictEqual(found[part], wanted[part]));
      const lines = wrong.map(
        (part) => `${part}: ${JSON.stringify(found[part])} instead of ${JSON.stringify(wanted[part])}`,
      );
      throw new Error(`left behind after ${after}:\n${lines.join('\n')}`);
    }
    await sleep(POLL_MS);
  }
};

const expectOwn = async (before: Awaited<ReturnType<typeof ownFootprint>>): Promise<void> => {
  const after = await ownFootprint();
  const wrong: string[] = [];
  if ((after.descriptors ?? 0) > (before.descriptors ?? 0) + OWN_CONNECTIONS)
    wrong.push(`${before.descriptors} open files became ${after.descriptors}`);
  if (after.resources > before.resources + OWN_CONNECTIONS)
    wrong.push(`${before.resources} active resources became ${after.resources}`);
  if (after.heapBytes > before.heapBytes + MAX_HEAP_GROWTH_BYTES)
    wrong.push(`the heap grew from ${before.heapBytes} to ${after.heapBytes} bytes`);
  if (wrong.length > 0) throw new Error(`this process holds more: ${wrong.join(', ')}`);
};

const expectSame = async (pair: Pair): Promise<void> => {
  for (const table of ['app.t', 'app.notes']) {
    const [source, target] = [await tableDigest(pair.source, table), await tableDigest(pair.target, table)];
    if (!isDeepStrictEqual(source, target))
      throw new Error(`${table} differs: ${source.rows} and ${target.rows} rows`);
  }
};
