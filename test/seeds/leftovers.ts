/** What a stream leaves on its servers once no runner is there: its slot, its publications, its origin, and no more. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Pair } from '../harness/pair.ts';

const POLL_MS = 100;
/** Backends of a killed client end when their server notices. */
const SESSION_LIMIT_MS = 30_000;

/**
 * @param published whether the stream has tables that are found by an identity, and tables that only take inserts
 * @throws Error with everything that should not be there, or should be and is not
 */
export const expectTidy = async (
  pair: Pair,
  published = { identified: true, insertOnly: true },
): Promise<void> => {
  const wrong: string[] = [];
  const check = (what: string, found: unknown, wanted: unknown): void => {
    const [seen, due] = [JSON.stringify(found), JSON.stringify(wanted)];
    if (seen !== due) wrong.push(`${what}: ${seen} instead of ${due}`);
  };
  const sessions = await sessionsLeft(pair);
  check('sessions', sessions, []);
  const [stream] = await pair.target.query<{ key: string }>('SELECT stream AS key FROM xcrepl.streams');
  const name = `xcrepl_s_${stream?.key}`;
  check('slots', await column(pair.source, SLOTS), [`${name} permanent free`]);
  check('publications', await column(pair.source, 'SELECT pubname AS v FROM pg_publication ORDER BY 1'), [
    ...(published.identified ? [name] : []),
    ...(published.insertOnly ? [`${name}_io`] : []),
  ]);
  check('links', await column(pair.target, 'SELECT DISTINCT state AS v FROM xcrepl.links'), ['streaming']);
  check('slots of links', await column(pair.target, 'SELECT DISTINCT slot AS v FROM xcrepl.links'), [name]);
  check('checkpoints', await column(pair.target, 'SELECT slot AS v FROM xcrepl.checkpoints'), [name]);
  check('chunks to do', await column(pair.target, CHUNKS_TO_DO), []);
  check('origins', await column(pair.target, ORIGINS), [name]);
  check('prepared transactions', await column(pair.target, 'SELECT gid AS v FROM pg_prepared_xacts'), []);
  if (wrong.length > 0) throw new Error(`left behind:\n${wrong.join('\n')}`);
};

const SLOTS = `
  SELECT slot_name || CASE WHEN temporary THEN ' temporary' ELSE ' permanent' END
                   || CASE WHEN active THEN ' active' ELSE ' free' END AS v
    FROM pg_replication_slots WHERE database = current_database() ORDER BY 1`;

const CHUNKS_TO_DO = `SELECT table_name || ' ' || chunk AS v FROM xcrepl.copy_chunks WHERE done_at IS NULL`;

/** Origins belong to the whole server, which other databases of the tests share. */
const ORIGINS = `
  SELECT o.roname AS v FROM pg_replication_origin o JOIN xcrepl.checkpoints c ON c.slot = o.roname
   UNION ALL
  SELECT o.roname FROM pg_replication_origin o JOIN xcrepl.streams s ON o.roname LIKE '%' || s.stream || '%'
   WHERE NOT EXISTS (SELECT FROM xcrepl.checkpoints c WHERE c.slot = o.roname)`;

const column = async (db: Pair['source'], sql: string): Promise<string[]> =>
  (await db.query<{ v: string }>(sql)).map(({ v }) => v);

const SESSIONS = `
  SELECT current_setting('port') || ' ' || application_name || ' ' || coalesce(state, backend_type) || ' ' || left(query, 80) AS v
    FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'xcrepl %'`;

const sessionsLeft = async (pair: Pair): Promise<string[]> => {
  const end = performance.now() + SESSION_LIMIT_MS;
  for (;;) {
    const left = [...(await column(pair.source, SESSIONS)), ...(await column(pair.target, SESSIONS))];
    if (left.length === 0 || performance.now() > end) return left;
    await sleep(POLL_MS);
  }
};
