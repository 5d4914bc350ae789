/** Ends engines as a crash would: between two chunks of a copy, after a commit that nobody heard of, and inside one. */

import { expect } from 'vitest';
import type { Pair } from '../../harness/pair.ts';
import { openTestEngine } from '../test-engine.ts';
import { until } from '../../e2e/until.ts';
import { fixed } from './matrix.ts';

const never = new AbortController().signal;
const silent = { copied() {}, streamed() {}, applied() {}, retained() {}, note() {} };

/** Publication, slot, and the copy until so many chunks are done. */
export const copyPart = async (pair: Pair, chunks: number): Promise<void> => {
  const stop = new AbortController();
  let done = 0;
  const copied = (): void => {
    if (++done === chunks) stop.abort();
  };
  await using engine = await openTestEngine(pair, { progress: { ...silent, copied } });
  await engine.engine.acquire();
  await engine.publish();
  await engine.createSlot();
  const copies = async (): Promise<void> => {
    for (const step of await engine.copySteps(3)) await engine.engine.copyTable(step, stop.signal);
  };
  await expect(copies()).rejects.toMatchObject({ name: 'AbortError' });
};

const stopHere = (): void => {
  throw new Error('the engine ends here');
};

/** The rest of the copy under a later snapshot, then streaming up to a commit that is never acknowledged. */
export const copyRestAndStop = async (pair: Pair): Promise<void> => {
  await using engine = await openTestEngine(pair, { progress: { ...silent, streamed: stopHere } });
  await engine.engine.acquire();
  for (const step of await engine.copySteps(3)) await engine.engine.copyTable(step, never);
  await expect(engine.catchUp()).rejects.toThrow('the engine ends here');
};

const WAITING = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'xcrepl test%'
  AND wait_event_type = 'Lock'`;
const TERMINATE = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE datname = current_database() AND application_name LIKE 'xcrepl test%'`;

/** Streams until the applier waits for a lock on `table`, in the middle of its transaction, and ends all there. */
export const stopInside = async (pair: Pair, table: string): Promise<void> => {
  const blocker = await fixed(pair.target);
  await blocker.query(`BEGIN; LOCK TABLE ${table} IN SHARE MODE`);
  const stop = new AbortController();
  {
    await using engine = await openTestEngine(pair, { signal: stop.signal });
    await engine.engine.acquire();
    const streaming = engine.catchUp(stop.signal);
    streaming.catch(() => {});
    await until('the applier waits', async () => (await pair.target.query(WAITING)).length > 0);
    stop.abort();
    await pair.target.query(TERMINATE);
    await pair.source.query(TERMINATE);
    await streaming.catch(() => {});
  }
  await blocker.end();
};
