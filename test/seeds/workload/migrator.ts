/** Whoever changes the source's schema beside the traffic, and says what cannot be said twice only once. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { TestDatabase } from '../../harness/test-database.ts';
import type { SchemaChange } from './changes.ts';
import { isLost, isRefusal, MAX_RECONNECTS, RECONNECT_MS, type Traffic } from './writers.ts';

const POLL_MS = 5;

/** @throws whatever is neither a lost connection nor what a change says that is there already */
export const makeChanges = async (
  source: TestDatabase,
  changes: readonly SchemaChange[],
  traffic: Traffic,
  signal: AbortSignal,
): Promise<void> => {
  for (const { after, sql } of changes) {
    while (traffic.done() < after && !traffic.isOver() && !signal.aborted) await sleep(POLL_MS);
    await change(source, sql, signal);
  }
};

const change = async (source: TestDatabase, sql: string, signal: AbortSignal): Promise<void> => {
  for (let life = 0; !signal.aborted; life++)
    try {
      await using client = await source.connect();
      await client.query(sql);
      return;
    } catch (error) {
      if (life > MAX_RECONNECTS) throw error;
      if (isLost(error) || mayPass(error)) await sleep(RECONNECT_MS);
      else if (life > 0 && isRefusal(error)) return;
      else throw error;
    }
};

const mayPass = (error: unknown): boolean => /^(40|55P03)/.test((error as { code?: string }).code ?? '');
