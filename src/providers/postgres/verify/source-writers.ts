/**
 * Whether transactions of the source are writing a table. Its log tells of a commit before a snapshot shows it, by
 * milliseconds, or by as long as a synchronous standby takes: the stream may have applied what nobody can read at the
 * source yet. A transaction holds its lock on the table until it can be read (xact.c, CommitTransaction), so what the
 * stream had applied at some moment can be read once those that held the lock at that moment have ended.
 */

import type { Client } from 'pg';
import type { Clock } from '../../../core/time/clock.ts';
import { qualified } from '../quote.ts';

const POLL_MS = 50;

/** Modes that writing rows, and nothing less, takes (PostgreSQL documentation, 13.3.1); of the table and its partitions. */
const WRITERS = `
  SELECT DISTINCT virtualtransaction AS id FROM pg_locks
   WHERE locktype = 'relation' AND granted
     AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND relation IN (SELECT $1::regclass UNION SELECT relid FROM pg_partition_tree($1::regclass))`;

/** Waits until whoever writes the table now has ended; false where that takes longer than `limitMs`. */
export const writersEnded = async (
  source: Client,
  table: { readonly schema: string; readonly name: string },
  limitMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<boolean> => {
  const writers = async (): Promise<Set<string>> => {
    const { rows } = await source.query<{ id: string }>(WRITERS, [qualified(table)]);
    return new Set(rows.map(({ id }) => id));
  };
  const then = await writers();
  const deadline = clock.nowMs() + limitMs;
  for (let now = then; !now.isDisjointFrom(then); now = await writers()) {
    if (clock.nowMs() >= deadline) return false;
    await clock.sleep(POLL_MS, signal);
  }
  return true;
};
