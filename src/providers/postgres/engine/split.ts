/** Takes links off a slot that stands at a batch boundary, onto a slot of their own. */

import { XcError } from '../../../core/errors/xc-error.ts';
import { formatLsn, type Lsn } from '../../../core/change/lsn.ts';
import { linkSlotName, type LinkId } from '../../../core/topology/link.ts';
import { codeOf } from '../pg-error.ts';
import type { Holding } from './held-store.ts';
import type { EngineParts } from './parts.ts';
import { copySlot, failOverAs } from './link-slots.ts';
import { dropSlot } from './slots.ts';

/** Slots know of failover since PostgreSQL 17. */
const FAILOVER_VERSION = 170_000;

/**
 * The copy is made before it is written down: a run that dies between leaves a slot that no checkpoint names, which the
 * next run drops. Once it is written down the links are on it, and nowhere else.
 * @returns the position at which the links stand
 * @throws XcError XC-5240 when the slot cannot be copied, or the copy does not reach back far enough
 */
export const splitLinks = async (
  parts: EngineParts,
  from: string,
  links: readonly LinkId[],
  holding: Holding,
): Promise<Lsn> => {
  const { control, store, held, sessions } = parts;
  const source = await control.source();
  const slot = freeName(links[0]!, await store.slots());
  await dropSlot(source, slot);
  const confirmed = await copySlot(source, from, slot).catch((error: unknown) => {
    throw codeOf(error) === '53400' ? noSlotFree(links, error) : error;
  });
  const { rows } = await source.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  );
  if ((rows[0]?.version ?? 0) >= FAILOVER_VERSION) await failOverAs(sessions, from, slot);
  const position = await held.split(links, from, { slot, confirmed }, holding);
  parts.options.progress.note(`${links.join(', ')}: on ${slot} from ${formatLsn(position)}`);
  return position;
};

/** The link's own name, or with a number where links that failed with it are still on a slot of that name. */
const freeName = (link: LinkId, known: readonly string[]): string => {
  const name = linkSlotName(link);
  if (!known.includes(name)) return name;
  for (let number = 2; ; number++) if (!known.includes(`${name}_${number}`)) return `${name}_${number}`;
};

/** configuration_limit_exceeded: all of max_replication_slots are in use. */
const noSlotFree = (links: readonly LinkId[], cause: unknown): XcError =>
  new XcError('XC-5240', {
    subject: links.join(', '),
    why: 'the source has no replication slot left',
    next: 'raise max_replication_slots on the source, or drop slots that nobody needs; then run the same command again',
    cause,
  });
