/** What a mirror sees of a store: keys below its prefix and without it, filtered, and nothing of the program's own. */

import type { ObjectInfo, ObjectStore } from '../objects/object-store.ts';
import { buffered } from './buffered.ts';
import { isOwn, type KeyFilter } from './filter.ts';
import type { Listing } from './joined.ts';
import type { MirrorEnds } from './ports.ts';

/** Two pages of the stores that give the most. */
const READ_AHEAD = 10_000;

async function* below(store: ObjectStore, prefix: string, filter: KeyFilter): AsyncGenerator<ObjectInfo> {
  for await (const info of store.list(prefix)) {
    const key = info.key.slice(prefix.length);
    if (key !== '' && !isOwn(info.key) && filter(key)) yield prefix === '' ? info : { ...info, key };
  }
}

const listing = (store: ObjectStore, prefix: string, filter: KeyFilter): Listing<ObjectInfo> => ({
  name: `${store.place} ${prefix}`.trim(),
  items: buffered(below(store, prefix, filter), READ_AHEAD),
});

export const sourceListing = (
  { source, sourcePrefix }: Pick<MirrorEnds, 'source' | 'sourcePrefix'>,
  filter: KeyFilter,
): Listing<ObjectInfo> => listing(source, sourcePrefix, filter);

export const targetListing = (
  { target, targetPrefix }: Pick<MirrorEnds, 'target' | 'targetPrefix'>,
  filter: KeyFilter,
): Listing<ObjectInfo> => listing(target, targetPrefix, filter);
