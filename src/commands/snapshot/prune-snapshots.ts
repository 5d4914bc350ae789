/** Removes snapshots that are not to be kept, and what belongs to none. */

import type { ObjectStore } from '../../core/objects/object-store.ts';
import type { Manifest } from '../../core/snapshot/manifest.ts';
import { ABANDONED_MS, prune, type Keeping, type Pruning } from '../../core/snapshot/prune.ts';
import { sideBySide } from '../../core/snapshot/send-parts.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { confirmRegion } from '../replication/confirm.ts';
import { bytesText } from '../replication/quantities.ts';
import { listBegun } from './begun-snapshots.ts';
import { manifestsOf, places } from './find-snapshots.ts';

export interface PruneOptions {
  readonly from: string;
  readonly tenant: string;
  readonly keep: Keeping;
  readonly confirm?: string | undefined;
}

/** @throws XcError XC-5410 where a manifest cannot be read: what it names is not known, and might be removed */
export const pruneSnapshots = async (host: Host, options: PruneOptions): Promise<Outcome> => {
  const loaded = await host.config();
  for await (const { store } of places(host, loaded, options)) {
    const found = await look(host, store, options.keep);
    const shows = host.flags.dryRun || found.keys.length === 0;
    if (!shows) {
      host.narrator.info(summary(found, 'would remove'));
      const what = `remove ${found.remove.length} snapshots of ${options.tenant} from ${store.place}`;
      await confirmRegion(host, options.from, options.confirm, what);
      await remove(host, store, found);
      await host.audit.append({
        action: 'snapshot.prune',
        subject: store.place,
        tenant: options.tenant,
        facts: { removed: found.remove.join(' '), objects: found.keys.length, bytes: found.bytes },
      });
    }
    return outcome(store, found, host.flags.dryRun);
  }
  throw new TypeError('a region and a tenant are one place');
};

const look = async (host: Host, store: ObjectStore, keep: Keeping): Promise<Pruning> => {
  const manifests: Manifest[] = [];
  for await (const one of manifestsOf(store)) {
    if ('error' in one) throw one.error;
    manifests.push(one.manifest);
  }
  const nowMs = host.clock.nowMs();
  const young = (await listBegun(store)).filter(
    ({ startedAt }) => nowMs - Date.parse(startedAt) < ABANDONED_MS,
  );
  const keys: { key: string; bytes: number }[] = [];
  for await (const { key, bytes } of store.list('snapshots/')) keys.push({ key, bytes });
  return prune(manifests, keys, keep, new Set(young.map(({ id }) => id)));
};

const isManifest = (key: string): boolean => key.startsWith('snapshots/manifests/');

/** Manifests go before anything else, so that what is cut short here leaves no snapshot without its parts. */
const remove = async (host: Host, store: ObjectStore, { keys }: Pruning): Promise<void> => {
  for (const key of keys.filter(isManifest)) await store.remove(key);
  await sideBySide(
    keys.filter((key) => !isManifest(key)),
    REMOVALS_AT_ONCE,
    host.signal,
    async (key) => await store.remove(key),
  );
};

const REMOVALS_AT_ONCE = 8;

const summary = ({ remove: gone, keep, keys, bytes }: Pruning, verb: string): string =>
  [
    `${verb} ${gone.length} snapshots, ${keys.length} objects, ${bytesText(bytes)}; keeps ${keep.length}`,
    ...gone.map((id) => `  ${id}`),
  ].join('\n');

const outcome = (store: ObjectStore, found: Pruning, dryRun: boolean): Outcome => ({
  document: {
    schemaVersion: 1,
    ...(dryRun ? { dryRun: true } : {}),
    store: store.place,
    changed: !dryRun && found.keys.length > 0,
    keep: found.keep,
    remove: found.remove,
    objects: found.keys.length,
    bytes: found.bytes,
  },
  table: () =>
    found.keys.length === 0
      ? `no change: ${found.keep.length} snapshots are kept, and nothing else is there`
      : summary(found, dryRun ? 'would remove' : 'removed'),
});
