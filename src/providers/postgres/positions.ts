/** Reads what the positions of slots are judged by: slots and publications of ours on a source, origins on a target. */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../core/change/lsn.ts';
import type { SlotSeen } from '../../core/validation/positions/positions.ts';
import { codeOf } from './pg-error.ts';

/** Slots of the whole server: one of our name may have been made in another database. */
const SLOTS = `
  SELECT slot_name::text AS name, wal_status AS "walStatus", to_jsonb(s) ->> 'invalidation_reason' AS invalidation,
         confirmed_flush_lsn::text AS confirmed, restart_lsn::text AS restart, active, plugin::text AS plugin,
         database::text AS database
    FROM pg_replication_slots s WHERE starts_with(slot_name, 'xcrepl_')`;

interface SlotRow extends Omit<SlotSeen, 'confirmedFlush' | 'restart'> {
  readonly name: string;
  readonly confirmed: string | null;
  readonly restart: string | null;
}

const lsn = (text: string | null): Lsn | null => (text === null ? null : parseLsn(text));

export const readSlots = async (client: Client): Promise<ReadonlyMap<string, SlotSeen>> => {
  const { rows } = await client.query<SlotRow>(SLOTS);
  return new Map(
    rows.map(({ name, confirmed, restart, ...slot }) => [
      name,
      { ...slot, confirmedFlush: lsn(confirmed), restart: lsn(restart) },
    ]),
  );
};

/** Names of publications of ours in this database. */
export const readPublicationNames = async (client: Client): Promise<ReadonlySet<string>> => {
  const { rows } = await client.query<{ name: string }>(
    `SELECT pubname::text AS name FROM pg_publication WHERE starts_with(pubname, 'xcrepl_')`,
  );
  return new Set(rows.map((row) => row.name));
};

/** Positions of our origins on the target; none where the role may not ask. */
export const readOrigins = async (client: Client): Promise<ReadonlyMap<string, Lsn>> => {
  try {
    const { rows } = await client.query<{ name: string; position: string | null }>(
      `SELECT roname::text AS name, pg_replication_origin_progress(roname, false)::text AS position
         FROM pg_replication_origin WHERE starts_with(roname, 'xcrepl_')`,
    );
    return new Map(
      rows.flatMap(({ name, position }) => (position === null ? [] : [[name, parseLsn(position)]])),
    );
  } catch (error) {
    if (codeOf(error) === '42501') return new Map();
    throw error;
  }
};
