/** What the sessions of the product do on both servers: for the message when they do nothing. */

import type { Pair } from '../harness/pair.ts';

const SESSIONS = `
  SELECT concat_ws(' ', current_setting('port'), backend_type, state, wait_event_type, wait_event,
                   'since', date_trunc('second', now() - state_change), left(regexp_replace(query, '\\s+', ' ', 'g'), 100)) AS v
    FROM pg_stat_activity
   WHERE datname = current_database() AND application_name LIKE 'xcrepl%' AND pid <> pg_backend_pid()`;

const POSITIONS = `
  SELECT concat_ws(' ', slot_name, 'acknowledged', confirmed_flush_lsn, 'of', pg_current_wal_lsn(), 'sent', r.sent_lsn) AS v
    FROM pg_replication_slots LEFT JOIN pg_stat_replication r ON r.pid = active_pid WHERE database = current_database()`;

const CHECKPOINTS = `SELECT concat_ws(' ', slot, 'checkpoint', position, updated_at) AS v FROM xcrepl.checkpoints`;

const lines = async (db: Pair['source'], sql: string): Promise<string[]> =>
  (await db.query<{ v: string }>(sql).catch((error: unknown) => [{ v: String(error) }])).map(({ v }) => v);

export const statesOf = async (pair: Pair): Promise<string> => {
  const parts = [
    await lines(pair.source, POSITIONS),
    await lines(pair.target, CHECKPOINTS),
    await lines(pair.source, SESSIONS),
    await lines(pair.target, SESSIONS),
  ];
  return `\n${parts.flat().join('\n')}`;
};
