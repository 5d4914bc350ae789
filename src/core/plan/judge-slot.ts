/** The positions of one slot of a stream, taken from its facts, and what they allow. */

import { judgePositions, type Judgement } from '../validation/positions/judge.ts';
import type { Positions } from '../validation/positions/positions.ts';
import { streamOfSlot } from '../topology/link.ts';
import type { StreamFacts } from './facts.ts';
import { publicationsOf } from './publication.ts';

/** @param carries whether a link that streams is on it: only then must there be a publication */
export const judgeSlot = (facts: StreamFacts, slot: string, carries: boolean): Judgement =>
  judgePositions(positionsOf(facts, slot, carries));

const positionsOf = ({ stream, source, target }: StreamFacts, name: string, carries: boolean): Positions => {
  const slot = source.slots.find((candidate) => candidate.name === name);
  return {
    slot: name,
    source: {
      systemIdentifier: source.systemIdentifier,
      timeline: source.timeline,
      history: source.history ?? null,
      database: source.database,
      currentLsn: source.currentLsn,
    },
    known:
      target.knownSource === null
        ? null
        : { systemIdentifier: target.knownSource, timeline: target.knownTimeline ?? null },
    checkpoint: target.checkpoints.find((row) => row.slot === name)?.position ?? null,
    origin: null,
    seen: slot
      ? {
          walStatus: slot.walStatus,
          invalidation: slot.invalidation ?? null,
          confirmedFlush: slot.confirmedFlush,
          restart: slot.restart,
          active: slot.active,
          plugin: slot.plugin ?? null,
          database: source.database,
        }
      : null,
    published: !carries || publicationsOf(streamOfSlot(name, stream.key), source.publications).length > 0,
  };
};
