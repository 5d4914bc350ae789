/**
 * The write-ahead log that a slot holds back, against what it may hold back, and when that will be used up. A slot past
 * max_slot_wal_keep_size loses log that its links need; without that limit the source's disk fills up instead.
 */

import type { RegionConfig } from '../config/schema.ts';
import { sizeText } from '../config/quantity.ts';

export interface RetentionRule {
  /** What a slot may hold back where the server sets no limit: the headroom of its disk, in bytes. */
  readonly limitBytes: number;
  /** What the own slot of a paused or errored link may hold back, in bytes; null for half of what any slot may. */
  readonly heldBytes: number | null;
  /** Part of the limit from which there is an alarm. */
  readonly alarmAt: number;
  /** Also when the rest will be used up within this time at the present rate. */
  readonly alarmWithinMs: number;
}

/** Small enough for most disks, large enough for hours of pause on a busy server; an hour is time to act in. */
export const RETENTION: RetentionRule = {
  limitBytes: 64 * 2 ** 30,
  heldBytes: null,
  alarmAt: 0.5,
  alarmWithinMs: 3_600_000,
};

/** The server's own settings before what is usual. */
export const retentionRule = (region: RegionConfig | undefined): RetentionRule => {
  const { limit, held, alarmAt, alarmWithin } = region?.postgres?.retainedWal ?? {};
  return {
    limitBytes: limit ?? RETENTION.limitBytes,
    heldBytes: held ?? RETENTION.heldBytes,
    alarmAt: alarmAt ?? RETENTION.alarmAt,
    alarmWithinMs: alarmWithin ?? RETENTION.alarmWithinMs,
  };
};

/** Below this part of the limit, growth is a burst that the stream is about to take in. */
const QUIET_PART = 0.1;

/** One look at a slot. */
export interface SlotLog {
  readonly bytes: number;
  /** pg_replication_slots.safe_wal_size: what may still be written; null where the server sets no limit. */
  readonly safeBytes: number | null;
  /** By which the held log grows; null where it is not known yet. */
  readonly bytesPerSecond: number | null;
}

export interface RetainedWal {
  readonly bytes: number;
  readonly limitBytes: number;
  readonly bytesPerSecond: number | null;
  /** Until the limit at the present rate; null where it does not grow, or that is not known. */
  readonly secondsLeft: number | null;
  /** Why somebody has to look; null where all is well. */
  readonly alarm: string | null;
}

export const judgeRetained = (log: SlotLog, rule: RetentionRule): RetainedWal =>
  judge(
    log,
    rule,
    slotLimit(log, rule),
    log.safeBytes === null ? 'that the disk is given' : 'that max_slot_wal_keep_size allows',
  );

/** Of a slot that a paused or errored link alone is on: what it may hold back before it is dropped (CORRECTNESS 6). */
export const judgeHeld = (log: SlotLog, rule: RetentionRule): RetainedWal =>
  judge(
    log,
    rule,
    heldBudget(log, rule),
    'that a held link is given; past it the slot is dropped, and the link needs repair',
  );

/** What a held link costs now, and for how long it may. */
export const heldText = ({ bytes, limitBytes, bytesPerSecond, secondsLeft }: RetainedWal): string =>
  `its slot keeps ${sizeText(bytes)} of log, of ${sizeText(limitBytes)} that a held link is given` +
  (secondsLeft === null || bytesPerSecond === null
    ? ''
    : `; at ${sizeText(bytesPerSecond)}/s ${timeText(secondsLeft)} are left before it is dropped and the link needs repair`);

/** Part of what any slot may hold back: one link must not use up what is there for all. */
const HELD_PART = 0.5;

export const heldBudget = (log: Pick<SlotLog, 'bytes' | 'safeBytes'>, rule: RetentionRule): number => {
  const limit = slotLimit(log, rule);
  return Math.min(limit, rule.heldBytes ?? limit * HELD_PART);
};

const slotLimit = (
  { bytes, safeBytes }: Pick<SlotLog, 'bytes' | 'safeBytes'>,
  rule: RetentionRule,
): number => (safeBytes === null ? rule.limitBytes : Math.max(0, bytes + safeBytes));

const judge = (log: SlotLog, rule: RetentionRule, limitBytes: number, whose: string): RetainedWal => {
  const { bytes, bytesPerSecond } = log;
  const left = Math.max(0, limitBytes - bytes);
  const secondsLeft =
    bytesPerSecond === null || bytesPerSecond <= 0 ? null : Math.round(left / bytesPerSecond);
  const soon =
    secondsLeft !== null && secondsLeft * 1_000 < rule.alarmWithinMs && bytes >= limitBytes * QUIET_PART;
  const alarm =
    bytes >= limitBytes * rule.alarmAt || soon
      ? `its slot holds back ${sizeText(bytes)} of log, of ${sizeText(limitBytes)} ${whose}` +
        (secondsLeft === null ? '' : `; ${timeText(secondsLeft)} are left at the present rate`)
      : null;
  return { bytes, limitBytes, bytesPerSecond, secondsLeft, alarm };
};

const timeText = (seconds: number): string =>
  seconds < 120
    ? `${seconds} s`
    : seconds < 7_200
      ? `${Math.round(seconds / 60)} min`
      : `${Math.round(seconds / 3_600)} h`;

/** Weight of the newest measure in the rate: about the last five count. */
const NEWEST = 0.33;

/** The rate at which a slot's log grows, smoothed over its last measures. */
export class RetainedRate {
  #last: { readonly bytes: number; readonly atMs: number } | null = null;
  #rate: number | null = null;

  /** @returns bytes a second, negative while the stream catches up; null at the first measure */
  add(bytes: number, atMs: number): number | null {
    const last = this.#last;
    if (last && atMs <= last.atMs) return this.#rate;
    this.#last = { bytes, atMs };
    if (!last) return null;
    const now = ((bytes - last.bytes) * 1_000) / (atMs - last.atMs);
    this.#rate = this.#rate === null ? now : this.#rate + NEWEST * (now - this.#rate);
    return this.#rate;
  }
}
