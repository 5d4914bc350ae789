/** Links as a person reads them: a table, or one line each. */

import { heldText } from '../../core/metrics/retained-wal.ts';
import { isFinding } from '../../core/report/status.ts';
import type { LinkStatus } from '../../core/report/link-status.ts';
import type { Painter } from '../frame/host.ts';
import { bytesText, countText, durationText } from './quantities.ts';

export const STATUS_HEAD = [
  'link',
  'state',
  'lag',
  'behind',
  'slot',
  'kept',
  'rows',
  'changes',
  'slo',
] as const;

export const statusCells = (link: LinkStatus): string[] => [
  link.link,
  link.state,
  link.lagMs === null ? '-' : durationText(link.lagMs),
  link.lagBytes === null ? '-' : bytesText(link.lagBytes),
  slotText(link),
  typeof link.slot?.retainedBytes === 'number' ? bytesText(link.slot.retainedBytes) : '-',
  countText(link.rows.copied),
  countText(link.rows.inserts + link.rows.updates + link.rows.deletes),
  link.slo.verdict,
];

export const slotText = ({ slot }: LinkStatus): string => {
  if (!slot) return '-';
  if (!slot.exists) return 'missing';
  if (slot.ahead) return 'moved past the checkpoint';
  return `${slot.active ? 'active' : 'inactive'}, ${slot.walStatus ?? 'new'}`;
};

export const statusView = (links: readonly LinkStatus[], paint: Painter): string =>
  [
    paint.table(
      [...STATUS_HEAD],
      links.map((link) => {
        const cells = statusCells(link);
        const tone = isFinding(link) ? 'bad' : link.state === 'streaming' ? 'good' : 'dim';
        cells[1] = paint[tone](cells[1] ?? '');
        return cells;
      }),
    ),
    ...links.flatMap((link) => detailLines(link).map((line) => `${link.link}: ${line}`)),
  ].join('\n');

const detailLines = (link: LinkStatus): string[] => [
  ...(link.state === 'never-run' ? ['was never run: xcrepl replication run'] : []),
  ...(link.why === null || link.why === '' ? [] : [link.why]),
  ...(link.conflicts > 0 ? [`${countText(link.conflicts)} conflicts were resolved by rule`] : []),
  ...(link.verdict === 'fail'
    ? [`verification found differences at ${link.verifiedAt ?? 'an unknown time'}`]
    : []),
  ...(link.retained?.alarm
    ? [link.retained.alarm]
    : link.retained && (link.state === 'paused' || link.state === 'errored')
      ? [heldText(link.retained)]
      : typeof link.slot?.safeWalBytes === 'number'
        ? [`its slot is lost after another ${bytesText(link.slot.safeWalBytes)} of log`]
        : []),
  ...link.joining.map(({ table, state }) => `table ${table} joins it: ${state}`),
  ...(link.snapshot === null
    ? []
    : [
        link.snapshot.alarm ??
          `its copy reads under a snapshot of ${durationText(link.snapshot.ageMs)} ago, which VACUUM waits for`,
      ]),
  ...(link.sequences?.left.map(({ sequence, why }) => `sequence ${sequence} is not carried: ${why}`) ?? []),
];

/** For a log: what matters, in words that can be searched for. */
export const statusLines = (links: readonly LinkStatus[]): string[] =>
  links.map((link) => {
    const [name, state, lag, behind, slot, , , , slo] = statusCells(link);
    return `${name} state=${state} lag=${lag} behind=${behind} slot="${slot}" slo=${slo}`;
  });
