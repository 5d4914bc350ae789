/** Two applications that keep writing to the source until they are told to stop, and come back when it does. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { seededRandom } from '../../fixtures/shop/random.ts';
import { traffic } from '../../fixtures/shop/traffic.ts';
import type { TestDatabase } from '../harness/test-database.ts';
import { ledgerTransaction } from './ledger/traffic.ts';

export interface WritersOptions {
  readonly seed: number;
  readonly tenants: readonly string[];
  /** Small transactions a second, over several tables of the shop. */
  readonly shopPerSecond: number;
  readonly ledgerPerSecond: number;
  /** Rows of the ledger's large transactions. */
  readonly largeRows: number;
}

export interface Writers extends AsyncDisposable {
  /** Lets each finish its transaction. @throws what one of them ran into, if that was no lost connection */
  stop(): Promise<void>;
}

const RECONNECT_MS = 50;

export const startWriters = (source: TestDatabase, options: WritersOptions): Writers => {
  const over = new AbortController();
  const { signal } = over;
  const { seed, tenants, shopPerSecond, ledgerPerSecond, largeRows } = options;
  const shop = connected(source, signal, async (client, life) => {
    await traffic(client, { seed: seed * 1000 + life, tenants, perSecond: shopPerSecond, signal });
  });
  const ledger = connected(source, signal, async (client, life) => {
    const random = seededRandom('ledger traffic', seed, life);
    for (let turn = 0; !signal.aborted; turn++) {
      await ledgerTransaction({ client, random, large: largeRows }, `seeded ${seed} ${life} ${turn}`);
      await sleep((2000 * random.next()) / ledgerPerSecond, undefined, { signal }).catch(() => undefined);
    }
  });
  const both = Promise.all([shop, ledger]);
  // Told by stop(), not by a rejection that nobody waits for yet.
  both.catch(() => undefined);
  const stop = async (): Promise<void> => {
    over.abort();
    await both;
    await endPrepared(source);
  };
  return {
    stop,
    async [Symbol.asyncDispose]() {
      over.abort();
      await both.catch(() => undefined);
    },
  };
};

/** Runs the work on a connection, and on another one when that breaks. */
const connected = async (
  source: TestDatabase,
  signal: AbortSignal,
  work: (client: Client, life: number) => Promise<void>,
): Promise<void> => {
  for (let life = 0; !signal.aborted; life++) {
    try {
      await using client = await source.connect();
      await work(client, life);
    } catch (error) {
      if (!isLost(error)) throw error;
      await sleep(RECONNECT_MS);
    }
  }
};

/** The server is down, starting, or went away in the middle. */
const isLost = (error: unknown): boolean => {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  return /^(ECONN|EPIPE|57P|08)/.test(code) || /^Connection terminated|not queryable/.test(message);
};

/** What a crash left between its two steps: an application would commit it as well. */
const endPrepared = async (source: TestDatabase): Promise<void> => {
  const left = await source.query<{ gid: string }>(
    'SELECT gid FROM pg_prepared_xacts WHERE database = current_database()',
  );
  for (const { gid } of left) await source.query(`COMMIT PREPARED '${gid}'`);
};
