/** Where checkpoints of the log are put besides its own directory: each region's databases, and its object store. */

import {
  readAnchorObjects,
  writeAnchorObject,
  type AnchoredCheckpoint,
} from '../../core/objects/anchor-objects.ts';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import type { Anchor } from '../../core/audit/verify.ts';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import { countOutbox, holdsAudit, readAnchors, writeAnchor } from '../../providers/postgres/audit.ts';
import type { Host } from '../frame/host.ts';
import { openRegionStore } from '../object-stores.ts';
import { databasesOf, onDatabase, type RegionDatabase } from '../region-databases.ts';

export interface SeenAnchors {
  readonly anchors: readonly Anchor[];
  /** Entries that wait there for a log, and those that one took over and never finished. */
  readonly waiting: number;
  readonly claimed: number;
  readonly why?: string;
}

export interface AnchorPlace {
  readonly name: string;
  /** @throws XcError XC-5291 where another checkpoint of this size is; what the place throws */
  put(anchor: AnchoredCheckpoint): Promise<void>;
  /** @param newest the last one alone, where that is cheaper */
  read(origin: string, newest: boolean): Promise<SeenAnchors>;
}

/** A store that is silent for so long is left to the next command. */
const STORE_LIMIT_MS = 10_000;

export const nameOf = ({ region, database }: RegionDatabase): string =>
  `region ${region}, database ${database}`;

/**
 * The databases of all regions.
 * @param passOver takes a region whose databases are not known, since its secret is missing; without it that is thrown
 */
export const databasePlaces = async (
  host: Host,
  passOver?: (region: string, error: XcError) => void,
): Promise<RegionDatabase[]> => {
  const loaded = await host.config();
  const regions = Object.entries(loaded.config.regions).filter(([, { postgres }]) => postgres !== undefined);
  const all: RegionDatabase[] = [];
  for (const [region] of regions)
    try {
      all.push(...(await databasesOf(host, loaded, region)));
    } catch (error) {
      if (!passOver || !isXcError(error)) throw error;
      passOver(region, error);
    }
  return all;
};

/** @param databases all of them where absent */
export const anchorPlaces = async (
  host: Host,
  databases?: readonly RegionDatabase[],
): Promise<AnchorPlace[]> => {
  const { config } = await host.config();
  // What lies in this process's memory is gone with it, and anchors nothing.
  const stores = Object.entries(config.regions).filter(
    ([, { objects }]) => objects !== undefined && objects.kind !== 'memory',
  );
  return [
    ...(databases ?? (await databasePlaces(host))).map((place) => inDatabase(host, place)),
    ...stores.map(([region]) => inStore(host, region)),
  ];
};

const inDatabase = (host: Host, place: RegionDatabase): AnchorPlace => ({
  name: nameOf(place),
  put: (anchor) =>
    onDatabase(host, place, async (client) => {
      if (await holdsAudit(client)) await writeAnchor(client, anchor, nameOf(place));
    }),
  read: (origin) =>
    onDatabase(host, place, async (client) =>
      (await holdsAudit(client))
        ? { anchors: await readAnchors(client, origin, nameOf(place)), ...(await countOutbox(client)) }
        : { anchors: [], waiting: 0, claimed: 0, why: 'no schema xcrepl of this version' },
    ),
});

const inStore = (host: Host, region: string): AnchorPlace => {
  const name = `region ${region}, objects`;
  return {
    name,
    put: (anchor) => onStore(host, region, name, (store) => writeAnchorObject(store, anchor)),
    read: (origin, newest) =>
      onStore(host, region, name, async (store) => ({
        anchors: await readAnchorObjects(store, origin, name, newest ? 1 : undefined),
        waiting: 0,
        claimed: 0,
      })),
  };
};

/** @throws XcError XC-6101 where the store is silent; what it throws */
const onStore = async <T>(
  host: Host,
  region: string,
  name: string,
  work: (store: ObjectStore) => Promise<T>,
): Promise<T> => {
  const store = await openRegionStore(host, await host.config(), region);
  const over = new AbortController();
  const silent = host.clock.sleep(STORE_LIMIT_MS, over.signal).then(
    () => {
      throw new XcError('XC-6101', { subject: name, why: `no answer within ${STORE_LIMIT_MS / 1000} s` });
    },
    () => new Promise<never>(() => undefined),
  );
  const worked = work(store);
  try {
    return await Promise.race([worked, silent]);
  } finally {
    over.abort();
    // Closing lets go of what is still asked; whatever comes of it is nobody's any more.
    worked.catch(() => undefined);
    await store.close();
  }
};
