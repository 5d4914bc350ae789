/**
 * Moves links from a slot of their own to the stream's, while the stream stands at a batch boundary: first to a position
 * that both have behind them, then in one transaction of the target (docs/decisions/0006).
 */

import { maxLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import type { MergeLinks } from '../../../core/plan/plan.ts';
import { streamOfSlot, type LinkId } from '../../../core/topology/link.ts';
import type { EngineParts } from './parts.ts';
import { dropPublications } from './removal.ts';
import { dropOrigin, dropSlot } from './slots.ts';
import type { Streams } from './streams.ts';

/** @returns null where nothing was merged, because a link of the slot is held and needs the slot */
export const mergeLinks = async (
  parts: EngineParts,
  streams: Streams,
  step: MergeLinks,
  epoch: number,
  signal: AbortSignal,
): Promise<{ links: readonly LinkId[]; position: Lsn } | null> => {
  const { control, store } = parts;
  if ((await mergeable(parts, step)) === null) return null;
  const ahead = await aheadOf(parts, streams, step);
  if ((await streams.position(step.slot)) < ahead) await streams.run(step.slot, ahead, epoch, signal);
  signal.throwIfAborted();
  const links = await mergeable(parts, step);
  if (links === null) return null;
  const position = maxLsn(await streams.position(step.slot), ahead);
  await store.moveLinks(links, step, { slot: store.mainSlot, position });
  await dropSlot(await control.source(), step.slot);
  await dropPublications(parts, streamOfSlot(step.slot, parts.options.stream.key));
  await dropOrigin(await control.reader(), step.slot);
  return { links, position };
};

/** All links of the slot, where the step names them all and none is held. */
const mergeable = async ({ store }: EngineParts, step: MergeLinks): Promise<LinkId[] | null> => {
  const onSlot = (await store.links()).filter((link) => link.slot === step.slot);
  const ready = onSlot.every(
    ({ link, state }) =>
      step.links.includes(link) && state !== 'errored' && state !== 'paused' && state !== 'needs-repair',
  );
  return ready && onSlot.length > 0 ? onSlot.map(({ link }) => link) : null;
};

/** Where joining links must be before the main stream carries them: at its position, and consistent in themselves. */
const aheadOf = async ({ store }: EngineParts, streams: Streams, step: MergeLinks): Promise<Lsn> =>
  (await store.links())
    .filter(({ link }) => step.links.includes(link))
    .map((link) => link.consistentAt ?? ZERO_LSN)
    .reduce(maxLsn, await streams.position(store.mainSlot));
