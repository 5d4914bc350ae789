/** Replication slots on the source: created with the snapshot that their stream begins at, dropped when nobody needs them. */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import type { SlotLog } from '../../../core/metrics/retained-wal.ts';
import { copySlotName, type StreamKey } from '../../../core/topology/link.ts';
import { ident } from '../quote.ts';
import { simpleQuery } from '../wire/exchange.ts';
import type { Sessions } from './sessions.ts';
import { slotSnapshot, type HeldSnapshot } from './snapshots.ts';

/** Slots that are synchronised to a standby, so that a promoted one can go on: PostgreSQL 17. */
const FAILOVER_VERSION = 170_000;

/**
 * Creates the slot; waits for transactions that are running now to end, because its consistent point is behind them
 * (PostgreSQL documentation, 54.4, CREATE_REPLICATION_SLOT).
 */
export const createSlot = async (
  sessions: Sessions,
  slot: string,
  failover: boolean,
  version: number,
): Promise<{ position: Lsn; snapshot: HeldSnapshot }> => {
  const walsender = await sessions.wire('source', 'walsender');
  try {
    const options = [
      `SNAPSHOT 'export'`,
      ...(failover && version >= FAILOVER_VERSION ? ['FAILOVER true'] : []),
    ];
    const { rows } = await simpleQuery(
      walsender,
      `CREATE_REPLICATION_SLOT ${ident(slot)} LOGICAL pgoutput (${options.join(', ')})`,
    );
    const [, consistentPoint, snapshotName] = rows[0] ?? [];
    const position = parseLsn(consistentPoint ?? '');
    return { position, snapshot: slotSnapshot(walsender, snapshotName ?? '', position) };
  } catch (error) {
    await walsender[Symbol.asyncDispose]();
    throw error;
  }
};

export const slotExists = async (client: Client, slot: string): Promise<boolean> => {
  const { rowCount } = await client.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [slot]);
  return (rowCount ?? 0) > 0;
};

/**
 * Side slots of the stream that no checkpoint names: of a run that was killed between creating one and writing it down.
 * Nothing was ever read from them.
 */
export const dropAbandonedSlots = async (
  client: Client,
  stream: StreamKey,
  known: readonly string[],
): Promise<void> => {
  await client.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
      WHERE starts_with(slot_name, $1) AND database = current_database() AND NOT active AND slot_name <> ALL ($2)`,
    [copySlotName(stream, ''), known],
  );
};

const RETAINED = `
  SELECT pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                         restart_lsn)::float8 AS bytes, safe_wal_size::float8 AS safe, active,
         wal_status = 'lost' AS lost
    FROM pg_replication_slots WHERE slot_name = $1`;

/** Log that the server keeps for the slot; null where the slot is gone or keeps none. */
export const retainedLog = async (
  client: Client,
  slot: string,
): Promise<Pick<SlotLog, 'bytes' | 'safeBytes'> | null> => {
  const { rows } = await client.query<{ bytes: number | null; safe: number | null }>(RETAINED, [slot]);
  const [row] = rows;
  return typeof row?.bytes === 'number' ? { bytes: Math.max(0, row.bytes), safeBytes: row.safe } : null;
};

export type HeldLog =
  | { readonly state: 'missing' }
  | { readonly state: 'lost' }
  | { readonly state: 'read' }
  | ({ readonly state: 'kept' } & Pick<SlotLog, 'bytes' | 'safeBytes'>);

/** Of a slot that links stand on: `read` while somebody reads from it. */
export const heldLog = async (client: Client, slot: string): Promise<HeldLog> => {
  const { rows } = await client.query<{
    bytes: number | null;
    safe: number | null;
    active: boolean;
    lost: boolean | null;
  }>(RETAINED, [slot]);
  const [row] = rows;
  if (!row) return { state: 'missing' };
  if (row.active) return { state: 'read' };
  if (row.lost === true || row.bytes === null) return { state: 'lost' };
  return { state: 'kept', bytes: Math.max(0, row.bytes), safeBytes: row.safe };
};

/** @returns whether there was one */
export const dropSlot = async (client: Client, slot: string): Promise<boolean> => {
  const { rowCount } = await client.query(
    'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
    [slot],
  );
  return (rowCount ?? 0) > 0;
};

/** Looks first: a role that may not drop origins may not even name the function that does. */
export const dropOrigin = async (client: Client, name: string): Promise<boolean> => {
  const known = await client.query('SELECT FROM pg_replication_origin WHERE roname = $1', [name]);
  if (known.rowCount === 0) return false;
  const { rowCount } = await client.query(
    'SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin WHERE roname = $1',
    [name],
  );
  return (rowCount ?? 0) > 0;
};
