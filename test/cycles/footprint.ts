/** What runs leave behind on both servers and in this process. */

import { readdir } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Pair } from '../harness/pair.ts';

/** Names of everything of ours that a server holds; two equal footprints are two equal servers. */
export type Footprint = Readonly<Record<string, readonly string[]>>;

const PARTS = {
  slots: `SELECT slot_name || ' ' || temporary || ' ' || active FROM pg_replication_slots WHERE database = current_database()`,
  origins: `SELECT roname FROM pg_replication_origin`,
  publications: `SELECT pubname FROM pg_publication`,
  'temporary tables': `SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind IN ('r', 'p', 'v', 'S')`,
  sessions: `SELECT application_name || ' ' || coalesce(state, '') || ' ' || left(query, 60) FROM pg_stat_activity
              WHERE datname = current_database() AND application_name LIKE 'xcrepl%' AND application_name <> 'xcrepl-test'`,
  'prepared transactions': `SELECT gid FROM pg_prepared_xacts WHERE database = current_database()`,
  'advisory locks': `SELECT classid || ' ' || objid FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                      WHERE locktype = 'advisory' AND d.datname = current_database()`,
  'held snapshots': `SELECT pid::text FROM pg_stat_activity
                      WHERE datname = current_database() AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()
                        AND backend_type = 'client backend' AND application_name <> 'xcrepl-test'`,
  subscriptions: `SELECT subname FROM pg_subscription`,
  schemas: `SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)'`,
  functions: `SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
               WHERE nspname NOT IN ('pg_catalog', 'information_schema')`,
  relations: `SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
               WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'`,
} as const;

export const footprint = async (pair: Pair): Promise<Footprint> => {
  const found: Record<string, string[]> = {};
  for (const side of ['source', 'target'] as const)
    for (const [part, sql] of Object.entries(PARTS)) {
      const rows = await pair[side].query<{ v: string }>(
        `SELECT v FROM (${sql}) AS all_of_it (v) ORDER BY v`,
      );
      found[`${part} of the ${side}`] = rows.map(({ v }) => v);
    }
  return found;
};

/** The process that ran the engines. */
export interface OwnFootprint {
  /** Open files and sockets; null where the system does not say. */
  readonly descriptors: number | null;
  /** Sockets, servers, pipes and timers that would keep the process alive. */
  readonly resources: number;
  readonly heapBytes: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

export const ownFootprint = async (): Promise<OwnFootprint> => {
  // Finalizers run between two collections.
  for (let left = 3; left > 0; left--) {
    collectGarbage();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return {
    descriptors: await readdir('/proc/self/fd').then(
      (names) => names.length,
      () => null,
    ),
    resources: process.getActiveResourcesInfo().length,
    heapBytes: process.memoryUsage().heapUsed,
  };
};
