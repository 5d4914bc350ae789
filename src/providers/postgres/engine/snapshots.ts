/**
 * Snapshots of the source that copies read under. The slot's own snapshot, exported when it was created, makes copy and
 * stream meet exactly; it dies with its session, and then a resumed copy reads under a later one, whose transactions the
 * stream is told to skip for the rows concerned (CORRECTNESS 7).
 */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import { disconnect } from '../connect.ts';
import type { WireConnection } from '../wire/connection.ts';
import type { Sessions } from './sessions.ts';

export interface HeldSnapshot extends AsyncDisposable {
  /** Name for SET TRANSACTION SNAPSHOT. */
  readonly name: string;
  /** Everything that it shows was committed before this position. */
  readonly position: Lsn;
  readonly alive: () => boolean;
}

export const slotSnapshot = (walsender: WireConnection, name: string, position: Lsn): HeldSnapshot => ({
  name,
  position,
  alive: () => walsender.failure === null,
  [Symbol.asyncDispose]: () => walsender[Symbol.asyncDispose](),
});

/** A snapshot of now. */
export const laterSnapshot = async (sessions: Sessions): Promise<HeldSnapshot> => {
  const client = await sessions.source('reader');
  let alive = true;
  client.on('error', () => (alive = false));
  client.on('end', () => (alive = false));
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await client.query<{ name: string }>('SELECT pg_export_snapshot() AS name');
    return {
      name: rows[0]?.name ?? '',
      position: await positionAfter(sessions),
      alive: () => alive,
      [Symbol.asyncDispose]: () => disconnect(client),
    };
  } catch (error) {
    await disconnect(client);
    throw error;
  }
};

/**
 * A position that every commit before this call is before, and that the log will pass by itself: the commit of a
 * message, whose flush also carries asynchronous commits to the disk.
 */
const positionAfter = async (sessions: Sessions): Promise<Lsn> => {
  const client = await sessions.source('control');
  try {
    await emitMarker(client);
    return await flushedPosition(client);
  } finally {
    await disconnect(client);
  }
};

/** Writes a logical message in a transaction of its own. @returns its position; the stream passes it with the commit */
export const emitMarker = async (client: Client): Promise<Lsn> => {
  const { rows } = await client.query<{ lsn: string }>(
    `SELECT pg_logical_emit_message(true, 'xcrepl', 'marker') AS lsn`,
  );
  return parseLsn(rows[0]?.lsn ?? '');
};

/**
 * Flushed, not inserted: the insert position may stand behind a page header that the log reaches only with its next
 * record, and on an idle source nobody writes one.
 */
export const flushedPosition = async (client: Client): Promise<Lsn> => {
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_flush_lsn() AS lsn');
  return parseLsn(rows[0]?.lsn ?? '');
};
