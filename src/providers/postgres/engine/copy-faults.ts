/**
 * A row that no copy can bring concerns its link alone: the others of the slot are copied and go on. Nothing was read for
 * that link yet that a slot could keep, so it needs repair, which reads again what differs (docs/decisions/0014).
 */

import { XcError } from '../../../core/errors/xc-error.ts';
import type { ErroredLink } from '../../../core/replication/engine.ts';
import { linksAtFault } from '../../../core/replication/link-fault.ts';
import type { EngineParts } from './parts.ts';
import { mayPass } from './retry.ts';

/** @returns null where the error is nobody's in particular, or of all links of the stream's own slot */
export const setCopyAside = async (
  { store, held, options }: EngineParts,
  slot: string,
  error: unknown,
): Promise<readonly ErroredLink[] | null> => {
  const named = new Set(linksAtFault(error));
  if (named.size === 0 || !(error instanceof XcError) || mayPass(error)) return null;
  const onSlot = (await store.links()).filter((link) => link.slot === slot);
  const links = onSlot
    .filter(({ link, state }) => named.has(link) && state === 'copying')
    .map(({ link }) => link);
  if (links.length === 0 || (links.length === onSlot.length && slot === store.mainSlot)) return null;
  const { code, message } = error;
  await held.giveUp(links, slot, `${code} ${message}`);
  const next = `${error.next}; then ${REPAIR}`;
  for (const link of links)
    options.progress.note(`${link} is not copied, the others go on: ${code} ${message}`);
  return links.map((link) => ({ link, code, message, next }));
};

const REPAIR = 'xcrepl replication doctor --plan repair.json, and xcrepl replication run --plan repair.json';
