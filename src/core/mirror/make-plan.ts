/** Both sides against each other: what a sync would do, key by key. Reads listings, and metadata where those have no digest. */

import { XcError } from '../errors/xc-error.ts';
import { decide, type Look } from './decide.ts';
import type { Entry, ManifestEntry } from './entry.ts';
import type { KeyFilter } from './filter.ts';
import { inOrder } from './in-order.ts';
import { joined } from './joined.ts';
import { sourceListing, targetListing } from './listing.ts';
import type { MirrorEnds, MirrorPorts } from './ports.ts';
import { patiently } from './carry-out.ts';

export interface Comparing extends MirrorEnds, Pick<MirrorPorts, 'clock' | 'signal'> {
  readonly filter: KeyFilter;
  /** Objects whose metadata are asked for at once. */
  readonly checkers: number;
  /** What the last run proved; nothing where there is none. */
  readonly known: AsyncIterable<ManifestEntry>;
}

const AHEAD = 4_096;

/** @throws XcError XC-5430, and whatever a store answers to a listing: half a listing makes no plan */
export const compare = (comparing: Comparing): AsyncGenerator<Entry> => {
  const { mirror, filter, checkers, known } = comparing;
  const all = joined(sourceListing(comparing, filter), targetListing(comparing, filter), {
    name: 'the last manifest',
    items: known,
  });
  const look: Look = {
    source: async (key) =>
      await patiently(comparing, async () =>
        below(await comparing.source.head(comparing.sourcePrefix + key), key),
      ),
    target: async (key) =>
      await patiently(comparing, async () =>
        below(await comparing.target.head(comparing.targetPrefix + key), key),
      ),
  };
  return inOrder(all, { atOnce: checkers, ahead: AHEAD }, async (met) => {
    comparing.signal.throwIfAborted();
    return await decide(mirror, met, look);
  });
};

const below = <T extends { readonly key: string }>(info: T | null, key: string): T | null =>
  info && { ...info, key };

/**
 * An object that both sides must have, and alike: proof that both are what they are taken for.
 * @throws XcError XC-2083
 */
export const checkAccess = async (ends: MirrorEnds, canary: string): Promise<void> => {
  const [source, target] = await Promise.all([
    ends.source.head(ends.sourcePrefix + canary),
    ends.target.head(ends.targetPrefix + canary),
  ]);
  const refuse = (why: string): never => {
    throw new XcError('XC-2083', { subject: canary, why });
  };
  if (source === null) refuse(`${ends.source.place} does not have it at ${ends.sourcePrefix}${canary}`);
  else if (target === null) refuse(`${ends.target.place} does not have it at ${ends.targetPrefix}${canary}`);
  else if (source.bytes !== target.bytes || differ(source.sha256, target.sha256))
    refuse('it is not the same on both sides');
};

const differ = (a: string | null, b: string | null): boolean => a !== null && b !== null && a !== b;
