/** Where a server's log ends, and by which timelines it came there. */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../core/change/lsn.ts';
import { parseHistory, type TimelineSwitch } from '../../core/validation/positions/history.ts';
import { disconnect } from './connect.ts';
import type { ServerIdentity } from './identity.ts';
import { codeOf } from './pg-error.ts';

const END = `
  SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END::text AS lsn`;

export const endOfLog = async (client: Client): Promise<Lsn> =>
  parseLsn((await client.query<{ lsn: string }>(END)).rows[0]?.lsn ?? '');

/** undefined_file, insufficient_privilege. */
const NO_HISTORY = new Set(['58P01', '42501']);

/**
 * Timelines that led to the server's own; not asked where that is still the known one, because then nothing rests on
 * it. TIMELINE_HISTORY is of the replication protocol (PostgreSQL documentation, 54.4).
 * @returns null where it was not asked, or the server does not have it
 */
export const historySince = async (
  known: number | null,
  { timeline }: Pick<ServerIdentity, 'timeline'>,
  openReplication: () => Promise<Client>,
): Promise<readonly TimelineSwitch[] | null> => {
  if (known === null || timeline <= known) return null;
  const client = await openReplication();
  try {
    const { rows } = await client.query<{ content: string | Buffer }>(`TIMELINE_HISTORY ${timeline}`);
    return parseHistory(String(rows[0]?.content ?? ''));
  } catch (error) {
    if (!NO_HISTORY.has(codeOf(error))) throw error;
    return null;
  } finally {
    await disconnect(client);
  }
};
