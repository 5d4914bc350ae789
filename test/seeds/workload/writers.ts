/** Applications that run their transactions as fast as they can, side by side, and outlive whatever happens to the source. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { TestDatabase } from '../../harness/test-database.ts';
import type { Transaction } from './transactions.ts';

export interface Traffic {
  /** Transactions that are over, however they ended. */
  done(): number;
  isOver(): boolean;
  /** All of them are. @throws whatever is no refusal of a statement and no lost connection */
  readonly ended: Promise<void>;
}

export const RECONNECT_MS = 50;
/** A source that is not back by then will not be. */
export const MAX_RECONNECTS = 600;

export const startTraffic = (
  source: TestDatabase,
  writers: readonly (readonly Transaction[])[],
  signal: AbortSignal,
): Traffic => {
  let done = 0;
  let over = false;
  const all = writers.map((transactions, writer) =>
    runAll(source, transactions, `workload ${source.database} ${writer}`, signal, () => void done++),
  );
  const ended = Promise.all(all)
    .finally(() => (over = true))
    .then(() => endPrepared(source));
  // Told to whoever waits, and not before somebody does.
  ended.catch(() => undefined);
  return { done: () => done, isOver: () => over, ended };
};

const runAll = async (
  source: TestDatabase,
  transactions: readonly Transaction[],
  name: string,
  signal: AbortSignal,
  onDone: () => void,
): Promise<void> => {
  let next = 0;
  for (let life = 0; next < transactions.length && !signal.aborted; life++) {
    if (life > MAX_RECONNECTS) throw new Error('the source does not come back');
    try {
      await using client = await source.connect();
      while (next < transactions.length && !signal.aborted) {
        // Counted before: what a crash cut off is not done again, since it may have been committed.
        const transaction = transactions[next++]!;
        await run(client, transaction, `${name} ${next}`);
        onDone();
      }
    } catch (error) {
      if (!isLost(error)) throw error;
      if (next > 0) onDone();
      await sleep(RECONNECT_MS);
    }
  }
};

const run = async (client: Client, { statements, end }: Transaction, name: string): Promise<void> => {
  await client.query('BEGIN');
  try {
    for (const statement of statements) await client.query(statement);
    switch (end) {
      case 'commit':
        await client.query('COMMIT');
        break;
      case 'rollback':
        await client.query('ROLLBACK');
        break;
      default:
        await client.query(`PREPARE TRANSACTION '${name}'`);
        await client.query(`${end === 'prepare and commit' ? 'COMMIT' : 'ROLLBACK'} PREPARED '${name}'`);
    }
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await client.query('ROLLBACK');
  }
};

const sqlState = (error: unknown): string => (error as { code?: string }).code ?? '';

/**
 * What random statements run into: constraints, values out of range, deadlocks, a savepoint of a failed transaction,
 * columns that are called otherwise by now.
 */
export const isRefusal = (error: unknown): boolean => /^(22|23|40|55|25P02|3B|42703)/.test(sqlState(error));

export const isLost = (error: unknown): boolean =>
  /^(ECONN|EPIPE|57P|08)/.test(sqlState(error)) ||
  /^Connection terminated|not queryable|Client has encountered/.test((error as Error).message);

/** One after the other, through whatever is lost meanwhile. */
export const runStatements = async (source: TestDatabase, statements: readonly string[]): Promise<void> => {
  for (const statement of statements)
    for (let life = 0; ; life++)
      try {
        await using client = await source.connect();
        await client.query(statement);
        break;
      } catch (error) {
        if (isRefusal(error) && !sqlState(error).startsWith('40')) break;
        if (life > MAX_RECONNECTS || !(isLost(error) || isRefusal(error))) throw error;
        await sleep(RECONNECT_MS);
      }
};

/** What a crash left between its two steps: an application would commit it as well. By a session that no crash has met. */
const endPrepared = async (source: TestDatabase): Promise<void> => {
  for (let life = 0; ; life++)
    try {
      await using client = await source.connect();
      const { rows } = await client.query<{ gid: string }>(
        'SELECT gid FROM pg_prepared_xacts WHERE database = current_database()',
      );
      for (const { gid } of rows) await client.query(`COMMIT PREPARED '${gid}'`);
      return;
    } catch (error) {
      if (!isLost(error) || life > MAX_RECONNECTS) throw error;
      await sleep(RECONNECT_MS);
    }
};
