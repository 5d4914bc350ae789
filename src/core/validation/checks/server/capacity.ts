/** Whether the server's settings allow logical replication, and whether enough slots, senders and origins are free. */

import type { Finding } from '../../finding.ts';
import { row, type ServerCheck, type ServerContext } from './context.ts';

export const walLevel: ServerCheck = (context) => {
  if (!context.isSource) return [];
  const level = context.server.settings.walLevel;
  return [
    level === 'logical'
      ? row(context, 'wal-level', { seen: 'wal_level is logical' })
      : row(context, 'wal-level', {
          verdict: 'fail',
          severity: 'block',
          seen: `wal_level is ${level}`,
          remedy: `ALTER SYSTEM SET wal_level = 'logical'; -- then restart the server`,
          code: 'XC-5300',
        }),
  ];
};

/** A link that joins a running stream, or a table's copy, needs one slot more for a while. */
const SPARE_SLOTS = 1;

/**
 * Streams that stand already have their slot, so only those that lack one need a free place; one more is needed while a
 * link joins.
 */
export const slots: ServerCheck = (context) => {
  if (!context.isSource) return [];
  const { settings, used, slots: existing } = context.server;
  const ours = existing.filter((slot) => context.owned.slots.has(slot.name)).length;
  const missing = Math.max(0, context.streamsFrom - ours);
  return [
    capacity(
      context,
      'replication-slots',
      settings.maxReplicationSlots,
      used.slots,
      missing,
      'max_replication_slots',
    ),
    capacity(context, 'wal-senders', settings.maxWalSenders, used.senders, missing, 'max_wal_senders'),
  ];
};

/** One session an origin at a time (CORRECTNESS 19). */
export const origins: ServerCheck = (context) => {
  if (!context.isTarget) return [];
  const { settings, used, origins: existing } = context.server;
  const ours = existing.filter((name) => context.owned.origins.has(name)).length;
  const missing = Math.max(0, context.streamsTo - ours);
  const setting =
    settings.maxActiveReplicationOrigins === null
      ? 'max_replication_slots'
      : 'max_active_replication_origins';
  const limit = settings.maxActiveReplicationOrigins ?? settings.maxReplicationSlots;
  return [capacity(context, 'replication-origins', limit, used.origins, missing, setting, 0)];
};

const capacity = (
  context: ServerContext,
  check: string,
  limit: number,
  used: number,
  needed: number,
  setting: string,
  spare = SPARE_SLOTS,
): Finding => {
  const free = Math.max(0, limit - used);
  const seen = `${free} of ${limit} free (${setting}); ${needed} needed${spare > 0 ? `, and ${spare} while a link joins` : ''}`;
  if (free >= needed + spare) return row(context, check, { seen });
  const lacks = free < needed;
  return row(context, check, {
    verdict: 'fail',
    severity: lacks ? 'block' : 'warn',
    seen,
    remedy: `ALTER SYSTEM SET ${setting} = ${used + needed + spare}; -- then restart the server`,
    code: 'XC-5301',
  });
};

export const commitTimestamps: ServerCheck = (context) =>
  context.server.settings.trackCommitTimestamp
    ? []
    : [
        row(context, 'commit-timestamps', {
          verdict: 'fail',
          severity: 'info',
          seen: 'track_commit_timestamp is off; conflicts cannot be resolved by the time of a commit',
          remedy: `ALTER SYSTEM SET track_commit_timestamp = on; -- then restart the server`,
          code: 'XC-5300',
        }),
      ];
