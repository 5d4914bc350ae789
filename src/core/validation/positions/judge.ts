/**
 * May a stream start at its checkpoint? One judgement for every start: of a plan, of each attempt to stream, of the
 * doctor and of status. PostgreSQL starts at the slot's own position where that is further than what was asked for, and
 * says nothing (documentation, 54.4, START_REPLICATION), so what would be skipped is found here.
 */

import { formatLsn, type Lsn } from '../../change/lsn.ts';
import type { Positions } from './positions.ts';

export type PositionReason =
  | 'at-checkpoint'
  | 'slot-behind'
  | 'other-source'
  | 'other-timeline'
  | 'history-unknown'
  | 'source-behind'
  | 'checkpoint-missing'
  | 'slot-missing'
  | 'promoted-without-slot'
  | 'slot-foreign'
  | 'slot-lost'
  | 'publication-missing'
  | 'slot-ahead';

export interface Judgement {
  /**
   * `safe`: the stream goes on where it ended. `duplicate`: the source would give changes again that the target has,
   * which are skipped. `gap`: changes are missing, or belong to another history; it must not start. `unknown`: what
   * decides could not be read; it must not start either.
   */
  readonly verdict: 'safe' | 'duplicate' | 'gap' | 'unknown';
  readonly reason: PositionReason;
  readonly why: string;
  /** The range that is doubled or missing: after `from`, up to `to`. Null is not known. */
  readonly from: Lsn | null;
  readonly to: Lsn | null;
}

type Judge = (positions: Positions) => Judgement | null;

/** The first that objects decides: a foreign log says nothing about slots, a missing slot nothing about positions. */
export const judgePositions = (positions: Positions): Judgement => {
  for (const judge of JUDGES) {
    const objection = judge(positions);
    if (objection) return objection;
  }
  return startOf(positions);
};

export const mayStart = ({ verdict }: Judgement): boolean => verdict === 'safe' || verdict === 'duplicate';

const otherSource: Judge = ({ known, source, checkpoint }) =>
  known === null || known.systemIdentifier === source.systemIdentifier
    ? null
    : gap(
        'other-source',
        `system identifier ${source.systemIdentifier}, the checkpoint belongs to ${known.systemIdentifier}: the source was restored or rebuilt`,
        checkpoint,
        null,
      );

/** A promotion goes on when the target has nothing that the new timeline lacks: its checkpoint is before the fork. */
const otherTimeline: Judge = ({ known, source, checkpoint }) => {
  const before = known?.timeline ?? null;
  if (before === null || before === source.timeline) return null;
  const now = `timeline ${source.timeline}, the checkpoint was streamed on timeline ${before}`;
  if (source.timeline < before)
    return gap('other-timeline', `${now}: the source was restored, or is an older copy`, checkpoint, null);
  if (source.history === null)
    return {
      ...gap('history-unknown', `${now}; the history between them could not be read`, checkpoint, null),
      verdict: 'unknown',
    };
  const fork = source.history.find(({ timeline }) => timeline === before);
  if (!fork)
    return gap('other-timeline', `${now}, which is not in its history: it was restored`, checkpoint, null);
  if (checkpoint === null || checkpoint <= fork.at) return null;
  return gap(
    'source-behind',
    `${now} up to ${formatLsn(checkpoint)}, and the source left that one at ${formatLsn(fork.at)}: the target has changes that the source never had, and would skip as many of its own`,
    fork.at,
    checkpoint,
  );
};

const sourceBehind: Judge = ({ source, checkpoint }) =>
  source.currentLsn === null || checkpoint === null || checkpoint <= source.currentLsn
    ? null
    : gap(
        'source-behind',
        `the log of the source ends at ${formatLsn(source.currentLsn)}, before the checkpoint ${formatLsn(checkpoint)}: the source was set back, and the target has changes that it no longer has`,
        source.currentLsn,
        checkpoint,
      );

const checkpointMissing: Judge = ({ checkpoint, seen, origin }) =>
  checkpoint !== null
    ? null
    : gap(
        'checkpoint-missing',
        `links are on the slot, but its checkpoint is missing in the target${origin === null ? '' : `, whose replication origin is at ${formatLsn(origin)}`}`,
        origin,
        seen?.confirmedFlush ?? null,
      );

const slotMissing: Judge = ({ seen, known, source, checkpoint }) => {
  if (seen) return null;
  const range = checkpoint === null ? '' : `; the checkpoint is ${formatLsn(checkpoint)}`;
  return (known?.timeline ?? source.timeline) < source.timeline
    ? gap(
        'promoted-without-slot',
        `the slot is missing on the source, which was promoted to timeline ${source.timeline}: it was no failover slot, or was not synchronised${range}`,
        checkpoint,
        source.currentLsn,
      )
    : gap('slot-missing', `the slot is missing on the source${range}`, checkpoint, source.currentLsn);
};

const slotForeign: Judge = ({ seen, source, checkpoint }) => {
  if (!seen) return null;
  const not =
    seen.plugin !== null && seen.plugin !== 'pgoutput'
      ? `decodes with ${seen.plugin}, not with pgoutput`
      : seen.database !== null && seen.database !== source.database
        ? `is of database ${seen.database}, not of ${source.database}`
        : null;
  return not === null
    ? null
    : gap('slot-foreign', `a slot of that name ${not}: it was made by hand`, checkpoint, source.currentLsn);
};

const slotLost: Judge = ({ seen, checkpoint, source }) => {
  if (!seen || (seen.walStatus !== 'lost' && seen.invalidation === null)) return null;
  const why = INVALIDATIONS[seen.invalidation ?? 'wal_removed'] ?? seen.invalidation;
  const range = checkpoint === null ? '' : `; the checkpoint is ${formatLsn(checkpoint)}`;
  return gap('slot-lost', `wal_status is lost: ${why}${range}`, checkpoint, source.currentLsn);
};

/** pg_replication_slots.invalidation_reason (PostgreSQL documentation, 53.20). */
const INVALIDATIONS: Readonly<Record<string, string>> = {
  wal_removed: 'the source removed log that was still needed (max_slot_wal_keep_size)',
  idle_timeout: 'nobody read from it for longer than idle_replication_slot_timeout allows',
  wal_level_insufficient: 'the source ran with a wal_level below logical',
  rows_removed: 'rows of the catalogue that it needed were removed on the standby that it came from',
};

/**
 * A slot outlives its publications. PostgreSQL 18 leaves out of the stream what no publication named when it was
 * written, with a warning in its own log alone; made anew, they would hide the gap.
 */
const publicationMissing: Judge = ({ published, checkpoint, source }) =>
  published
    ? null
    : gap(
        'publication-missing',
        'its publications were dropped: what was written since is not in the stream',
        checkpoint,
        source.currentLsn,
      );

const slotAhead: Judge = ({ seen, checkpoint }) => {
  const confirmed = seen?.confirmedFlush ?? null;
  if (confirmed === null || checkpoint === null || confirmed <= checkpoint) return null;
  const anew = (seen?.restart ?? checkpoint) > checkpoint;
  return gap(
    'slot-ahead',
    `${anew ? 'the slot was made anew, or moved,' : 'the slot was acknowledged'} past the checkpoint in the target: it stands at ${formatLsn(confirmed)}, the checkpoint is ${formatLsn(checkpoint)}; the slot was changed by hand, or the target was restored`,
    checkpoint,
    confirmed,
  );
};

const JUDGES: readonly Judge[] = [
  otherSource,
  otherTimeline,
  checkpointMissing,
  sourceBehind,
  slotMissing,
  slotForeign,
  slotLost,
  publicationMissing,
  slotAhead,
];

const gap = (reason: PositionReason, why: string, from: Lsn | null, to: Lsn | null): Judgement => ({
  verdict: 'gap',
  reason,
  why,
  from,
  to,
});

const startOf = ({ seen, checkpoint, origin }: Positions): Judgement => {
  const confirmed = seen?.confirmedFlush ?? null;
  const at = checkpoint === null ? '' : formatLsn(checkpoint);
  if (origin !== null && checkpoint !== null && origin > checkpoint)
    return {
      verdict: 'duplicate',
      reason: 'slot-behind',
      why: `the target was put back to its checkpoint ${at}: its replication origin remembers ${formatLsn(origin)}; the slot still has what is between`,
      from: checkpoint,
      to: origin,
    };
  if (confirmed === null || checkpoint === null || confirmed === checkpoint)
    return {
      verdict: 'safe',
      reason: 'at-checkpoint',
      why: `the slot is at the checkpoint ${at}`,
      from: null,
      to: null,
    };
  return {
    verdict: 'duplicate',
    reason: 'slot-behind',
    why: `the slot still has what the target got after ${formatLsn(confirmed)}, up to the checkpoint ${at}; it is skipped`,
    from: confirmed,
    to: checkpoint,
  };
};
