/** Reads what precheck must know of a server. Only SELECTs, and what the role may not see is said to be unknown. */

import { tableNameSql } from '../quote.ts';
import type { Client } from 'pg';
import type {
  ObservedAccess,
  ObservedPrivileges,
  ObservedServer,
  ObservedSettings,
  ObservedSlot,
} from '../../../core/validation/observed-server.ts';

const SETTINGS = `
  SELECT current_setting('wal_level') AS "walLevel",
         current_setting('max_replication_slots')::int AS "maxReplicationSlots",
         current_setting('max_wal_senders')::int AS "maxWalSenders",
         current_setting('max_active_replication_origins', true)::int AS "maxActiveReplicationOrigins",
         (SELECT nullif(setting::int8, -1) * 1048576 FROM pg_settings WHERE name = 'max_slot_wal_keep_size')::float8
           AS "maxSlotWalKeepBytes",
         (SELECT nullif(setting::int8, 0) * CASE unit WHEN 'ms' THEN 1 WHEN 's' THEN 1000 ELSE 60000 END
            FROM pg_settings WHERE name = 'idle_replication_slot_timeout')::float8 AS "idleSlotTimeoutMs",
         string_to_array(replace(current_setting('synchronized_standby_slots', true), ' ', ''), ',')
           AS "synchronizedStandbySlots",
         current_setting('track_commit_timestamp')::bool AS "trackCommitTimestamp"`;

const SLOTS = `
  SELECT slot_name::text AS name, slot_type AS type, database::text AS database, active, temporary,
         wal_status AS "walStatus",
         pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                         restart_lsn)::float8 AS "retainedBytes"
    FROM pg_replication_slots ORDER BY slot_name`;

/** A sender of a physical standby is none that drains a logical slot; pg_stat_replication lists all of them. */
const COUNTS = `
  SELECT (SELECT count(*)::int FROM pg_stat_replication) AS senders,
         (SELECT count(*)::int FROM pg_replication_origin) AS origins,
         ARRAY (SELECT pubname::text FROM pg_publication WHERE starts_with(pubname, 'xcrepl_') ORDER BY 1)
           AS publications,
         ARRAY (SELECT roname::text FROM pg_replication_origin WHERE starts_with(roname, 'xcrepl_') ORDER BY 1)
           AS "originNames",
         ARRAY (SELECT 'slot ' || slot_name FROM pg_replication_slots WHERE slot_type = 'physical'
                UNION ALL
                SELECT 'pid ' || r.pid FROM pg_stat_replication r
                 WHERE r.state IN ('streaming', 'catchup')
                   AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid)) AS standbys,
         to_regnamespace('xcrepl') IS NOT NULL AS initialised,
         (SELECT json_build_object('used', ssl, 'version', version) FROM pg_stat_ssl WHERE pid = pg_backend_pid())
           AS tls,
         (SELECT coalesce(json_object_agg(extname, extversion), '{}') FROM pg_extension) AS extensions`;

const PRIVILEGES = `
  SELECT r.rolname::text AS role, r.rolsuper AS superuser, r.rolsuper OR r.rolreplication AS replication,
         r.rolsuper OR r.rolbypassrls AS "bypassRowSecurity",
         has_database_privilege(current_database(), 'CREATE') AS "createInDatabase",
         has_parameter_privilege('session_replication_role', 'SET') AS "setReplicationRole",
         ARRAY (SELECT p.oid::regprocedure::text FROM pg_proc p
                 WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname = ANY ($1::text[])
                   AND NOT has_function_privilege(p.oid, 'EXECUTE') ORDER BY 1) AS "deniedOriginFunctions"
    FROM pg_roles r WHERE r.rolname = current_user`;

/** What a runner calls on the target: PostgreSQL documentation, 9.28.6. */
const ORIGIN_FUNCTIONS = [
  'pg_replication_origin_create',
  'pg_replication_origin_drop',
  'pg_replication_origin_oid',
  'pg_replication_origin_advance',
  'pg_replication_origin_progress',
  'pg_replication_origin_session_setup',
  'pg_replication_origin_session_reset',
  'pg_replication_origin_session_progress',
  'pg_replication_origin_xact_setup',
  'pg_replication_origin_xact_reset',
];

/** Asked for only with the right to: a function that the role may not execute fails the whole statement. */
const WAL_DIRECTORY = 'SELECT sum(size)::float8 AS bytes FROM pg_ls_waldir()';
const MAY_LIST_WAL = `SELECT has_function_privilege('pg_ls_waldir()', 'EXECUTE') AS allowed`;

interface CountsRow {
  readonly senders: number;
  readonly origins: number;
  readonly publications: readonly string[];
  readonly originNames: readonly string[];
  readonly standbys: readonly string[];
  readonly initialised: boolean;
  readonly tls: { readonly used: boolean; readonly version: string | null } | null;
  readonly extensions: Readonly<Record<string, string>>;
}

/** What one session sees; the address, identity and clock come from who opened it. */
export type ServerState = Omit<
  ObservedServer,
  | 'region'
  | 'database'
  | 'address'
  | 'isLocal'
  | 'version'
  | 'inRecovery'
  | 'systemIdentifier'
  | 'timeline'
  | 'clock'
>;

export const readServerState = async (client: Client): Promise<ServerState> => {
  const settings = await one<ObservedSettings>(client, SETTINGS);
  const slots = (await client.query<ObservedSlot>(SLOTS)).rows;
  const counts = await one<CountsRow>(client, COUNTS);
  const privileges = await one<ObservedPrivileges>(client, PRIVILEGES, [ORIGIN_FUNCTIONS]);
  return {
    settings,
    slots,
    privileges,
    used: { slots: slots.length, senders: counts.senders, origins: counts.origins },
    publications: counts.publications,
    origins: counts.originNames,
    standbys: counts.standbys,
    tls: counts.tls,
    extensions: new Map(Object.entries(counts.extensions)),
    initialised: counts.initialised,
    walDirectoryBytes: await readWalDirectory(client),
  };
};

const readWalDirectory = async (client: Client): Promise<number | null> => {
  const { allowed } = await one<{ allowed: boolean }>(client, MAY_LIST_WAL);
  return allowed ? (await one<{ bytes: number | null }>(client, WAL_DIRECTORY)).bytes : null;
};

const one = async <R extends object>(client: Client, sql: string, values: unknown[] = []): Promise<R> => {
  const row = (await client.query<R>(sql, values)).rows[0];
  if (!row) throw new Error('the server gave no row where there is always one');
  return row;
};

const ACCESS = `
  SELECT ${tableNameSql('n.nspname', 'c.relname')} AS "table", pg_get_userbyid(c.relowner)::text AS owner, pg_has_role(c.relowner, 'USAGE') AS owns,
         has_table_privilege(c.oid, 'SELECT') AS "select", has_table_privilege(c.oid, 'INSERT') AS "insert",
         has_table_privilege(c.oid, 'UPDATE') AS "update", has_table_privilege(c.oid, 'DELETE') AS "delete",
         has_table_privilege(c.oid, 'TRUNCATE') AS "truncate",
         has_schema_privilege(n.oid, 'USAGE') AS "schemaUsage"
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.oid = ANY ($1::oid[]) ORDER BY 1`;

export const readAccess = async (client: Client, oids: readonly number[]): Promise<ObservedAccess[]> =>
  (await client.query<ObservedAccess>(ACCESS, [oids])).rows;
