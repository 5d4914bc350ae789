/**
 * Everything that a command could leave behind in a database and its server, as one comparable value: a test takes it
 * before and after, and whatever is not the same was written.
 */

import type { Pair } from '../harness/pair.ts';
import type { TestDatabase } from '../harness/test-database.ts';

export type ServerState = Readonly<Record<string, unknown>>;

export const bothStates = async (pair: Pick<Pair, 'source' | 'target'>): Promise<ServerState> => {
  const [source, target] = await Promise.all([serverState(pair.source), serverState(pair.target)]);
  return { source, target };
};

/** Definitions, settings and roles as the catalogues have them; contents of every table and sequence by digest. */
export const serverState = async (db: TestDatabase): Promise<ServerState> => {
  // A new session: one that stood when a setting of the database was changed still has the old one.
  await using session = await db.connect();
  const state: Record<string, unknown> = {};
  for (const [name, sql] of Object.entries(CATALOGUES))
    state[name] = (await session.query<Record<string, unknown>>(sql)).rows.map(textOf);
  state['contents'] = await contents(db);
  return state;
};

/**
 * What is left out moves by itself: how much log a slot may still keep, the oldest transaction ids of databases and
 * tables, the statistics that autovacuum writes,
 * and the settings of libraries, which a session has once it loaded them.
 */
const CATALOGUES: Readonly<Record<string, string>> = {
  slots: `SELECT to_jsonb(s) - '{safe_wal_size,wal_status}'::text[] AS row FROM pg_replication_slots s
           WHERE database = current_database() ORDER BY slot_name`,
  publications: `SELECT to_jsonb(p) AS row FROM pg_publication p ORDER BY pubname`,
  publishedTables: `SELECT to_jsonb(r) AS row FROM pg_publication_rel r ORDER BY oid`,
  publishedSchemas: `SELECT to_jsonb(r) AS row FROM pg_publication_namespace r ORDER BY oid`,
  subscriptions: `SELECT to_jsonb(s) AS row FROM pg_subscription s ORDER BY oid`,
  origins: `SELECT to_jsonb(o) AS row FROM pg_replication_origin o ORDER BY roident`,
  originPositions: `SELECT to_jsonb(o) - 'local_lsn' AS row FROM pg_replication_origin_status o ORDER BY local_id`,
  roles: `SELECT to_jsonb(r) AS row FROM pg_authid r ORDER BY oid`,
  memberships: `SELECT to_jsonb(m) AS row FROM pg_auth_members m ORDER BY roleid, member`,
  roleSettings: `SELECT to_jsonb(s) AS row FROM pg_db_role_setting s ORDER BY setdatabase, setrole`,
  settings: `SELECT jsonb_build_array(name, setting, source) AS row FROM pg_settings
              WHERE source NOT IN ('client', 'session') AND strpos(name, '.') = 0 ORDER BY name`,
  database: `SELECT to_jsonb(d) - '{datfrozenxid,datminmxid}'::text[] AS row FROM pg_database d
              WHERE datname = current_database()`,
  schemas: `SELECT to_jsonb(n) AS row FROM pg_namespace n WHERE nspname !~ '^pg_(toast_)?temp_' ORDER BY nspname`,
  relations: `SELECT to_jsonb(c) - '{relpages,reltuples,relallvisible,relallfrozen,relfrozenxid,relminmxid}'::text[] AS row
                FROM pg_class c WHERE oid >= 16384 ORDER BY oid`,
  columns: `SELECT to_jsonb(a) - 'attmissingval' AS row FROM pg_attribute a WHERE attrelid >= 16384
             ORDER BY attrelid, attnum`,
  constraints: `SELECT to_jsonb(c) AS row FROM pg_constraint c WHERE oid >= 16384 ORDER BY oid`,
  indexes: `SELECT to_jsonb(i) AS row FROM pg_index i WHERE indexrelid >= 16384 ORDER BY indexrelid`,
  triggers: `SELECT to_jsonb(t) AS row FROM pg_trigger t ORDER BY oid`,
  eventTriggers: `SELECT to_jsonb(t) AS row FROM pg_event_trigger t ORDER BY oid`,
  functions: `SELECT to_jsonb(p) AS row FROM pg_proc p WHERE oid >= 16384 ORDER BY oid`,
  types: `SELECT to_jsonb(t) AS row FROM pg_type t WHERE oid >= 16384 ORDER BY oid`,
  prepared: `SELECT to_jsonb(x) AS row FROM pg_prepared_xacts x ORDER BY gid`,
  largeObjects: `SELECT to_jsonb(l) AS row FROM pg_largeobject_metadata l ORDER BY oid`,
  // Nothing of ours may still be held once a command has ended.
  locks: `SELECT to_jsonb(l) AS row FROM pg_locks l
           WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
};

const RELATIONS = `
  SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'm', 'S') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
     AND n.nspname NOT LIKE 'pg\\_toast%' AND n.nspname NOT LIKE 'pg\\_temp%'
   ORDER BY 1`;

/** "shop.orders" → "120 rows 5d41…"; sequences by their whole state. */
const contents = async (db: TestDatabase): Promise<Record<string, string>> => {
  const relations = await db.query<{ name: string; kind: string }>(RELATIONS);
  if (relations.length === 0) return {};
  const parts = relations.map(
    ({ name, kind }) =>
      `SELECT '${name.replaceAll("'", "''")}' AS name, ` +
      (kind === 'S'
        ? `(SELECT concat_ws(' ', last_value, log_cnt, is_called) FROM ${name})`
        : `(SELECT count(*) || ' rows ' || coalesce(md5(string_agg(h, '' ORDER BY h)), '')
              FROM (SELECT md5(t::text) AS h FROM ${name} t) AS hashes)`) +
      ' AS digest',
  );
  const rows = await db.query<{ name: string; digest: string }>(parts.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
};

const textOf = (row: Readonly<Record<string, unknown>>): string => JSON.stringify(row['row']);
