/**
 * Where a stream starts: at its checkpoint, once source, slot and checkpoint were found to fit together. Each attempt
 * asks again, because the source may have been promoted or restored between two of them.
 */

import type { Lsn } from '../../../core/change/lsn.ts';
import { publicationNames, streamOfSlot } from '../../../core/topology/link.ts';
import { judgePositions } from '../../../core/validation/positions/judge.ts';
import { refuseGap } from '../../../core/validation/positions/refuse.ts';
import { readIdentity } from '../identity.ts';
import { readPublicationNames, readSlots } from '../positions.ts';
import { endOfLog, historySince } from '../timeline.ts';
import type { SessionPorts } from './stream-session.ts';

/** @throws XcError XC-5001, XC-5206 where changes after the checkpoint would be missing */
export const startPosition = async (
  { store, source, sessions, options }: SessionPorts,
  slot: string,
): Promise<Lsn> => {
  const { key, source: place } = options.stream;
  const under = streamOfSlot(slot, key);
  const walsender = () => sessions.walsender();
  const identity = await readIdentity(source, place.region, walsender);
  const known = await store.knownSource();
  const history = await historySince(known?.timeline ?? null, identity, walsender);
  const slots = await readSlots(source);
  const published = await readPublicationNames(source);
  const checkpoint = await store.checkpoint(slot);
  const judgement = judgePositions({
    slot,
    source: { ...identity, history, currentLsn: await endOfLog(source) },
    known,
    checkpoint,
    origin: null,
    seen: slots.get(slot) ?? null,
    published: publicationNames(under).some((name) => published.has(name)),
  });
  refuseGap(slot, place.region, judgement);
  await store.trustSource(identity);
  return checkpoint!;
};
