/** Puts links that an operator paused where they can stand still without holding anybody else. */

import type { Lsn } from '../../../core/change/lsn.ts';
import type { SplitLinks } from '../../../core/plan/plan.ts';
import type { EngineParts } from './parts.ts';
import { splitLinks } from './split.ts';

/** On the stream's own slot nothing ever stands still, even when nobody else is on it: links that join go there. */
export const pauseLinks = async (
  parts: EngineParts,
  { slot, links: named }: SplitLinks,
): Promise<{ links: number; position: Lsn | null }> => {
  const { store, held } = parts;
  const onSlot = (await store.links()).filter((link) => link.slot === slot && !link.off);
  // A wish that was taken back meanwhile is no wish.
  const links = onSlot
    .filter(({ link, state }) => named.includes(link) && (state === 'pausing' || state === 'paused'))
    .map(({ link }) => link);
  if (links.length === 0) return { links: 0, position: null };
  const holding = { state: 'paused' } as const;
  const position =
    links.length === onSlot.length && slot !== store.mainSlot
      ? await held.holdInPlace(links, slot, holding)
      : await splitLinks(parts, slot, links, holding);
  return { links: links.length, position };
};
