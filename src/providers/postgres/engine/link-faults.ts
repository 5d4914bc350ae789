/**
 * What concerns some links of a slot alone leaves the others' way: those links go onto a slot of their own, which begins
 * where they are and keeps what comes after, and are marked as errored (CORRECTNESS 4, 5). Nothing is read from the slot
 * meanwhile, so nothing past their position is acknowledged before they have it.
 */

import { XcError } from '../../../core/errors/xc-error.ts';
import type { LinkError } from '../../../core/replication/engine.ts';
import { linksAtFault } from '../../../core/replication/link-fault.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { StoredLink } from './link-store.ts';
import type { EngineParts } from './parts.ts';
import { mayPass } from './retry.ts';
import { splitLinks } from './split.ts';

export interface SetAside {
  readonly links: readonly LinkId[];
  /** Nobody is left on the slot to go on. */
  readonly emptied: boolean;
}

/**
 * @returns null where the error is nobody's in particular, or of all links of the stream's own slot: then it stops, and
 * no link is any better off alone
 */
export const setAside = async (
  parts: EngineParts,
  slot: string,
  error: unknown,
): Promise<SetAside | null> => {
  const named = new Set(linksAtFault(error));
  if (named.size === 0 || !(error instanceof XcError) || mayPass(error)) return null;
  const onSlot = (await parts.store.links()).filter((link) => link.slot === slot && isCarried(link));
  const links = onSlot.filter(({ link }) => named.has(link)).map(({ link }) => link);
  const emptied = links.length === onSlot.length;
  if (emptied && slot === parts.store.mainSlot) return null;
  const reason: LinkError = { code: error.code, message: error.message, next: error.next };
  const holding = { state: 'errored', error: reason } as const;
  if (emptied) await parts.held.holdInPlace(links, slot, holding);
  else if (links.length > 0) await splitLinks(parts, slot, links, holding);
  for (const link of links)
    parts.options.progress.note(`${link} is held, the others go on: ${error.code} ${error.message}`);
  return { links, emptied };
};

/** Links whose changes a stream of their slot applies. */
export const isCarried = ({ state }: StoredLink): boolean =>
  state === 'catching-up' ||
  state === 'streaming' ||
  state === 'errored' ||
  state === 'pausing' ||
  state === 'dropping' ||
  state === 'stopping';
