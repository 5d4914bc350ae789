/** The positions of a slot as status sees them: two looks side by side, so that of what flows only part can be judged. */

import { publicationNames, streamOfSlot } from '../topology/link.ts';
import { judgePositions, type Judgement } from '../validation/positions/judge.ts';
import type { StreamLook } from './look.ts';

/** Null where a server could not be asked, or nobody looked at what decides. */
export const judgeLook = (slot: string, { stream, source, target }: StreamLook): Judgement | null => {
  if (!source?.seen || !target) return null;
  const { systemIdentifier, timeline, database, slots, publications } = source.seen;
  const seen = slots.get(slot) ?? null;
  const flows = seen?.active ?? false;
  return judgePositions({
    slot,
    // The history of timelines takes a session of its own; the doctor and every start ask for it.
    source: {
      systemIdentifier,
      timeline,
      history: null,
      database,
      currentLsn: flows ? null : source.currentLsn,
    },
    known: target.sources?.get(stream.key) ?? null,
    checkpoint: target.checkpoints.get(slot)?.position ?? null,
    origin: null,
    // Of a slot that somebody drains both positions move between the two looks, so only one at rest can be judged.
    seen: seen && flows ? { ...seen, confirmedFlush: null } : seen,
    published: publicationNames(streamOfSlot(slot, stream.key)).some((name) => publications.has(name)),
  });
};
