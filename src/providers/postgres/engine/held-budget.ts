/**
 * Links that are held keep log on the source, each slot within a budget. Past it the slot is dropped and its links need
 * repair: one link that nobody mends must not fill the disk of all (CORRECTNESS 6).
 */

import { formatLsn } from '../../../core/change/lsn.ts';
import { sizeText } from '../../../core/config/quantity.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import { heldBudget, RETENTION } from '../../../core/metrics/retained-wal.ts';
import type { ErroredLink } from '../../../core/replication/engine.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { EngineParts } from './parts.ts';
import { dropOrigin, dropSlot, heldLog } from './slots.ts';

/**
 * Only where all links of a slot are held, and nobody reads from it.
 * @returns links that need repair from now on
 */
export const expireHeld = async (parts: EngineParts): Promise<ErroredLink[]> => {
  const { store, held, control, options } = parts;
  const expired: ErroredLink[] = [];
  for (const [slot, onSlot] of Map.groupBy(await store.links(), (link) => link.slot)) {
    if (slot === store.mainSlot || !onSlot.every(({ state }) => state === 'paused' || state === 'errored'))
      continue;
    const why = await whyExpired(parts, slot);
    if (why === null) continue;
    const links = onSlot.map(({ link }) => link);
    const position = await held.expire(links, slot, why);
    if (position === null) continue;
    await dropSlot(await control.source(), slot);
    await dropOrigin(await control.reader(), slot);
    expired.push(...links.map((link) => needsRepair(link, why)));
    options.progress.note(`${links.join(', ')}: needs repair from ${formatLsn(position)} on: ${why}`);
  }
  return expired;
};

const whyExpired = async ({ control, options }: EngineParts, slot: string): Promise<string | null> => {
  const log = await heldLog(await control.source(), slot);
  if (log.state === 'read') return null;
  if (log.state === 'missing') return `its slot ${slot} is missing on the source`;
  if (log.state === 'lost') return `its slot ${slot} is lost: the source removed log that it kept`;
  const budget = heldBudget(log, options.upkeep?.retention ?? RETENTION);
  return log.bytes <= budget
    ? null
    : `its slot ${slot} held back ${sizeText(log.bytes)} of log, more than the ${sizeText(budget)} that a held link is given, and was dropped`;
};

const needsRepair = (link: LinkId, why: string): ErroredLink => {
  const { code, message, next } = new XcError('XC-5242', { subject: link, why });
  return { link, code, message, next };
};
