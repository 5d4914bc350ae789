/**
 * After the copies and before any deletion both sides are listed once more: what changed at the source meanwhile is
 * named, and what the target holds is held against what was proven. A listing costs a request for a thousand objects.
 */

import type { ManifestEntry } from './entry.ts';
import { joined } from './joined.ts';
import type { KeyFilter } from './filter.ts';
import { sourceListing, targetListing } from './listing.ts';
import type { MirrorEnds } from './ports.ts';

export type Change =
  'changed-at-source' | 'gone-from-source' | 'new-at-source' | 'changed-at-target' | 'gone-from-target';

export interface Meanwhile {
  readonly key: string;
  readonly change: Change;
}

/** @param proven in the order of keys @param unsettled keys that failed: nothing is expected of them */
export async function* closingLook(
  ends: MirrorEnds,
  filter: KeyFilter,
  proven: AsyncIterable<ManifestEntry>,
  unsettled: ReadonlySet<string>,
): AsyncGenerator<Meanwhile> {
  const all = joined(sourceListing(ends, filter), targetListing(ends, filter), {
    name: 'the results of this run',
    items: proven,
  });
  for await (const { key, source, target, known } of all) {
    if (unsettled.has(key)) continue;
    if (known === null) {
      if (source !== null) yield { key, change: 'new-at-source' };
      continue;
    }
    if (source === null) yield { key, change: 'gone-from-source' };
    else if (source.version !== known.source) yield { key, change: 'changed-at-source' };
    if (target === null) yield { key, change: 'gone-from-target' };
    else if (target.version !== known.target || target.bytes !== known.bytes)
      yield { key, change: 'changed-at-target' };
  }
}
