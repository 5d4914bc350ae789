/** What a database holds for audit logs: checkpoints that are anchored there, and entries that wait for a log. */

import type { Client } from 'pg';
import type { Anchor } from '../../core/audit/verify.ts';
import { refuseAnother, type AnchoredCheckpoint } from '../../core/objects/anchor-objects.ts';
import { pgError } from './pg-error.ts';

/** Whether the schema of this version is there; a database that `init` never saw has neither anchors nor entries. */
export const holdsAudit = async (client: Client): Promise<boolean> => {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('xcrepl.audit_anchors') IS NOT NULL AS there`,
  );
  return rows[0]?.there ?? false;
};

/** Writes it, unless the same is there. @throws XcError XC-5291 where another checkpoint of this size is */
export const writeAnchor = async (
  client: Client,
  { origin, size, note }: AnchoredCheckpoint,
  place: string,
): Promise<void> => {
  try {
    const { rowCount } = await client.query(
      'INSERT INTO xcrepl.audit_anchors (origin, size, note) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [origin, size, note],
    );
    if ((rowCount ?? 0) > 0) return;
    const { rows } = await client.query<{ note: string }>(
      'SELECT note FROM xcrepl.audit_anchors WHERE origin = $1 AND size = $2',
      [origin, size],
    );
    refuseAnother(place, rows[0]?.note ?? '', note);
  } catch (error) {
    throw pgError(error, place);
  }
};

/** All anchors of a log, the smallest tree first. */
export const readAnchors = async (client: Client, origin: string, place: string): Promise<Anchor[]> => {
  try {
    const { rows } = await client.query<{ note: string }>(
      'SELECT note FROM xcrepl.audit_anchors WHERE origin = $1 ORDER BY size',
      [origin],
    );
    return rows.map(({ note }) => ({ place, note }));
  } catch (error) {
    throw pgError(error, place);
  }
};

export interface OutboxRow {
  readonly id: string;
  readonly stream: string | null;
  readonly run: string;
  readonly action: string;
  readonly subject: string;
  readonly facts: Readonly<Record<string, unknown>>;
  /** ISO 8601 in UTC. */
  readonly at: string;
  /** Claimed by an earlier draining of the same log that did not come to its end. */
  readonly leftover: boolean;
}

/**
 * Takes waiting rows over for a log, oldest first, in a transaction of its own: from then on no other log appends them.
 * At most `most`; the next call takes the rest. Held together by a session lock, so that two processes of one log do not drain at once; null where another one does.
 */
export const claimOutbox = async (
  client: Client,
  origin: string,
  most: number,
): Promise<OutboxRow[] | null> => {
  const { rows: locked } = await client.query<{ held: boolean }>(
    'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held',
    [`xcrepl audit ${origin}`],
  );
  if (!locked[0]?.held) return null;
  const { rows: left } = await client.query<{ id: string }>(
    'SELECT id::text FROM xcrepl.audit_outbox WHERE claimed_by = $1',
    [origin],
  );
  const leftover = new Set(left.map(({ id }) => id));
  await client.query(
    `UPDATE xcrepl.audit_outbox SET claimed_by = $1
      WHERE id IN (SELECT id FROM xcrepl.audit_outbox WHERE claimed_by IS NULL
                    ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [origin, most],
  );
  const { rows } = await client.query<Omit<OutboxRow, 'leftover'>>(
    `SELECT id::text, stream, run, action, subject, facts,
            to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at
       FROM xcrepl.audit_outbox WHERE claimed_by = $1 ORDER BY audit_outbox.id`,
    [origin],
  );
  return rows.map((row) => ({ ...row, leftover: leftover.has(row.id) }));
};

/** Removes rows that are durable in their log. */
export const settleOutbox = async (client: Client, ids: readonly string[]): Promise<void> => {
  await client.query('DELETE FROM xcrepl.audit_outbox WHERE id = ANY ($1::bigint[])', [ids]);
};

/** Rows that wait for a log, and those that a log took over and never finished. */
export const countOutbox = async (client: Client): Promise<{ waiting: number; claimed: number }> => {
  const { rows } = await client.query<{ waiting: string; claimed: string }>(
    `SELECT count(*) FILTER (WHERE claimed_by IS NULL) AS waiting, count(claimed_by) AS claimed FROM xcrepl.audit_outbox`,
  );
  return { waiting: Number(rows[0]?.waiting ?? 0), claimed: Number(rows[0]?.claimed ?? 0) };
};
