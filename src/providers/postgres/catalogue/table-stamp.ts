/** A number that changes when a table comes, goes, is renamed, or is keyed another way; and hardly for anything else. */

import type { Client } from 'pg';

/** Neither sizes nor statistics: what runs all the time is no reason to plan. */
const STAMP = `
  SELECT coalesce(sum(hashtextextended(concat_ws(' ', c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relreplident,
           c.relispartition, c.relnatts, i.keys), 0)), 0)::text AS stamp
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN LATERAL (SELECT count(*) AS keys FROM pg_index x
                        WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid) i ON true
   WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'
     AND n.nspname NOT IN ('information_schema', 'xcrepl')`;

export const readTableStamp = async (client: Client): Promise<string> =>
  (await client.query<{ stamp: string }>(STAMP)).rows[0]?.stamp ?? '';
