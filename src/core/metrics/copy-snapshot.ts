/**
 * The snapshot that a copy reads under. For as long as it is held the source's VACUUM removes no row version that was
 * deleted since, in any table: a long copy makes the source's tables grow (CORRECTNESS 8).
 */

/** Between two tables a copy goes on under a later snapshot once its own is as old: what holds longer is one table alone. */
export const RENEW_AFTER_MS = 10 * 60_000;
/** An hour of dead rows is noticed on a busy server. */
export const ALARM_AFTER_MS = 60 * 60_000;

export interface CopySnapshot {
  readonly ageMs: number;
  /** Begun since, on all of the server: how many versions of rows may be kept for it. Null where it is not known. */
  readonly transactions: number | null;
  /** Why somebody has to look; null where all is well. */
  readonly alarm: string | null;
}

export const judgeSnapshot = ({ ageMs, transactions }: Omit<CopySnapshot, 'alarm'>): CopySnapshot => ({
  ageMs,
  transactions,
  alarm:
    ageMs < ALARM_AFTER_MS
      ? null
      : `a copy reads under a snapshot of ${Math.floor(ageMs / 60_000)} minutes ago` +
        (transactions === null ? '' : `, ${transactions} transactions back`) +
        ': VACUUM at the source removes nothing that was deleted since',
});
