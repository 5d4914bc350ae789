/** The write-ahead log that slots keep: slots about to be lost, limits, and what is on the disk already. */

import { sizeText } from '../../../config/quantity.ts';
import { quoteName } from '../../../topology/quote.ts';
import type { Finding } from '../../finding.ts';
import type { ObservedSlot } from '../../observed-server.ts';
import { row, type ServerCheck, type ServerContext } from './context.ts';

const GIB = 2 ** 30;
/** Less than this is soon gone in a pause of an hour on a server of moderate load (300 KiB/s). */
const SMALL_LIMIT_BYTES = GIB;

export const retentionLimit: ServerCheck = (context) => {
  if (!context.isSource) return [];
  const { maxSlotWalKeepBytes: limit, idleSlotTimeoutMs } = context.server.settings;
  return [
    limit === null
      ? row(context, 'slot-wal-limit', {
          verdict: 'fail',
          severity: 'warn',
          seen: 'max_slot_wal_keep_size is -1: a slot that nobody reads keeps log until the disk is full',
          remedy: `ALTER SYSTEM SET max_slot_wal_keep_size = '64GB'; SELECT pg_reload_conf(); -- as much as the disk can spare`,
          code: 'XC-5304',
        })
      : row(context, 'slot-wal-limit', {
          ...(limit < SMALL_LIMIT_BYTES
            ? {
                verdict: 'fail',
                severity: 'warn',
                remedy: `ALTER SYSTEM SET max_slot_wal_keep_size = '64GB'; SELECT pg_reload_conf(); -- as much as the disk can spare`,
                code: 'XC-5304',
              }
            : {}),
          seen: `max_slot_wal_keep_size is ${sizeText(limit)}; a stream that falls further behind loses its slot`,
        }),
    ...(idleSlotTimeoutMs === null
      ? []
      : [
          row(context, 'idle-slot-timeout', {
            verdict: 'fail',
            severity: 'warn',
            seen: `idle_replication_slot_timeout takes slots away after ${Math.round(idleSlotTimeoutMs / 60_000)} min without a reader`,
            remedy: `ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf();`,
            code: 'XC-5304',
          }),
        ]),
  ];
};

/** SQL tells how much log there is, but not how much room is left beside it. */
export const walDirectory: ServerCheck = (context) => {
  if (!context.isSource) return [];
  const { walDirectoryBytes: bytes, settings, privileges } = context.server;
  if (bytes === null)
    return [
      row(context, 'wal-disk', {
        verdict: 'unknown',
        severity: 'info',
        seen: 'the role may not list pg_wal, and free disk space is not readable by SQL',
        remedy: `GRANT pg_monitor TO ${quoteName(privileges.role)};`,
        code: 'XC-5340',
      }),
    ];
  const limit = settings.maxSlotWalKeepBytes;
  const reach = limit === null ? 'without limit' : `to ${sizeText(Math.max(limit, bytes))}`;
  return [
    row(context, 'wal-disk', {
      verdict: 'unknown',
      severity: 'info',
      seen: `pg_wal holds ${sizeText(bytes)} and slots may let it grow ${reach}; free disk space is not readable by SQL`,
      remedy: 'compare with the free space of the volume that holds pg_wal',
    }),
  ];
};

export const slotHealth: ServerCheck = (context) => {
  const judged = context.server.slots.map((slot) => health(context, slot));
  return judged.length > 0
    ? judged
    : [row(context, 'slot-health', { seen: 'the server has no replication slot' })];
};

const health = (context: ServerContext, slot: ObservedSlot): Finding => {
  const ours = context.owned.slots.has(slot.name);
  const kept =
    slot.retainedBytes === null ? '' : `, keeps ${sizeText(Math.max(0, slot.retainedBytes))} of log`;
  const seen = `${slot.type}, ${slot.active ? 'active' : 'inactive'}, wal_status ${slot.walStatus ?? 'none'}${kept}`;
  if (slot.walStatus === 'lost')
    return row(context, 'slot-health', {
      subject: slot.name,
      verdict: 'fail',
      severity: ours ? 'block' : 'warn',
      seen,
      remedy: ours
        ? 'xcrepl replication status names its links; drop them and copy again'
        : `SELECT pg_drop_replication_slot('${slot.name}');`,
      code: 'XC-5001',
    });
  if (slot.walStatus === 'unreserved')
    return row(context, 'slot-health', {
      subject: slot.name,
      verdict: 'fail',
      severity: 'warn',
      seen: `${seen}; the next checkpoint may take its log away`,
      remedy: 'let its reader catch up now, or raise max_slot_wal_keep_size',
      code: 'XC-5304',
    });
  return row(context, 'slot-health', { subject: slot.name, seen });
};

/** CORRECTNESS 18. */
export const standbys: ServerCheck = (context) => {
  if (!context.isSource) return [];
  const { standbys: names, settings } = context.server;
  if (names.length === 0)
    return [
      row(context, 'synchronized-standbys', { seen: 'no physical standby is connected or has a slot' }),
    ];
  const waitedFor = (settings.synchronizedStandbySlots ?? []).filter((name) => name !== '');
  const lacking = names.filter(
    (name) => !waitedFor.includes(name.replace(/^slot /, '')) && !waitedFor.includes('*'),
  );
  if (lacking.length === 0)
    return [
      row(context, 'synchronized-standbys', { seen: `logical slots wait for ${waitedFor.join(', ')}` }),
    ];
  const slotNames = names.filter((name) => name.startsWith('slot ')).map((name) => name.slice(5));
  return [
    row(context, 'synchronized-standbys', {
      verdict: 'fail',
      severity: 'warn',
      seen: `logical slots do not wait for ${lacking.join(', ')}: a target may run ahead of a standby that is promoted`,
      remedy:
        settings.synchronizedStandbySlots === null
          ? 'PostgreSQL 17 has synchronized_standby_slots; before it, do not promote a standby without comparing positions'
          : `ALTER SYSTEM SET synchronized_standby_slots = '${slotNames.join(', ')}'; SELECT pg_reload_conf();`,
      code: 'XC-5305',
    }),
  ];
};
