/**
 * Which server a session is on, and where its log stands. The system identifier is the same for a server and its
 * physical copies; the timeline tells them apart after a promotion (PostgreSQL documentation, 9.28.11 and 26.3).
 */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../core/change/lsn.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { codeOf, pgError } from './pg-error.ts';

export interface ServerIdentity {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** server_version_num: 180004. */
  readonly version: number;
  readonly inRecovery: boolean;
  /** Database of the session. */
  readonly database: string;
  readonly role: string;
  readonly positions: WalPositions;
}

/** On a primary, where the next record goes and what is on its disk; in recovery, what was received and replayed. */
export interface WalPositions {
  readonly insert: Lsn | null;
  readonly flush: Lsn | null;
  readonly replay: Lsn | null;
}

interface PlaceRow {
  readonly version: number;
  readonly in_recovery: boolean;
  readonly database: string;
  readonly role: string;
  readonly insert: string | null;
  readonly flush: string | null;
  readonly replay: string | null;
  readonly timeline: number | null;
}

/** A primary's timeline comes from its log's file name: the control file has it only from the next checkpoint on. */
const PLACE = `
  SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS in_recovery,
         current_database()::text AS database, current_user::text AS role,
         CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_insert_lsn()::text END AS insert,
         CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_flush_lsn()::text
              ELSE pg_last_wal_receive_lsn()::text END AS flush,
         CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text END AS replay,
         CASE WHEN NOT pg_is_in_recovery()
              THEN ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::int END AS timeline`;

const CONTROL = `
  SELECT system_identifier::text AS system, timeline_id AS timeline FROM pg_control_system(), pg_control_checkpoint()`;

/**
 * @param openReplication opens a walsender session; asked where the role may not read the control file
 * @throws XcError XC-4002 when neither way is permitted, XC-6001 when the connection breaks
 */
export const readIdentity = async (
  client: Client,
  subject: string,
  openReplication?: () => Promise<Client>,
): Promise<ServerIdentity> => {
  try {
    const place = (await client.query<PlaceRow>(PLACE)).rows[0];
    if (!place) throw new XcError('XC-9001', { subject, why: 'the server named no place of its log' });
    const control = await readControl(client, openReplication);
    return {
      systemIdentifier: control.systemIdentifier,
      timeline: place.timeline ?? control.timeline,
      version: place.version,
      inRecovery: place.in_recovery,
      database: place.database,
      role: place.role,
      positions: { insert: lsn(place.insert), flush: lsn(place.flush), replay: lsn(place.replay) },
    };
  } catch (error) {
    throw pgError(error, subject);
  }
};

const lsn = (text: string | null): Lsn | null => (text === null ? null : parseLsn(text));

interface Control {
  readonly systemIdentifier: string;
  readonly timeline: number;
}

const readControl = async (
  client: Client,
  openReplication: (() => Promise<Client>) | undefined,
): Promise<Control> => {
  try {
    const row = (await client.query<{ system: string; timeline: number }>(CONTROL)).rows[0];
    return { systemIdentifier: row?.system ?? '', timeline: row?.timeline ?? 0 };
  } catch (error) {
    if (codeOf(error) !== '42501' || !openReplication) throw error;
    return await identifySystem(openReplication);
  }
};

/** IDENTIFY_SYSTEM of the replication protocol: PostgreSQL documentation, 54.4. */
const identifySystem = async (openReplication: () => Promise<Client>): Promise<Control> => {
  const client = await openReplication();
  try {
    const row = (await client.query<{ systemid: string; timeline: number | string }>('IDENTIFY_SYSTEM'))
      .rows[0];
    return { systemIdentifier: row?.systemid ?? '', timeline: Number(row?.timeline ?? 0) };
  } finally {
    await client.end();
  }
};
