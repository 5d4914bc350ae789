/** Finds snapshots: in the stores of the regions, each tenant's in its own place. */

import { Buffer } from 'node:buffer';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import { behaviourOf } from '../../core/objects/store-errors.ts';
import {
  idOfManifest,
  manifestKey,
  MANIFESTS,
  parseManifest,
  type Manifest,
} from '../../core/snapshot/manifest.ts';
import type { Host } from '../frame/host.ts';
import { openRegionStore } from '../object-stores.ts';

export interface Where {
  /** Region of the store; every region that has one where absent. */
  readonly from?: string | undefined;
  readonly tenant?: string | undefined;
}

export interface SnapshotPlace {
  readonly region: string;
  readonly tenant: string;
  readonly store: ObjectStore;
}

export interface FoundSnapshot extends SnapshotPlace {
  readonly manifest: Manifest;
  /** The bytes that are signed. */
  readonly bytes: Buffer;
}

/** Each place is closed behind the work on it. */
export async function* places(host: Host, loaded: LoadedConfig, where: Where): AsyncGenerator<SnapshotPlace> {
  for (const { region, tenant } of wantedPlaces(loaded, where)) {
    const store = await openRegionStore(host, loaded, region, tenant);
    try {
      yield { region, tenant, store };
    } finally {
      await store.close();
    }
  }
}

const wantedPlaces = (
  { config }: LoadedConfig,
  { from, tenant }: Where,
): { region: string; tenant: string }[] => {
  if (tenant !== undefined && !config.tenants[tenant])
    throw new XcError('XC-1006', { subject: `tenant ${tenant}` });
  const regions =
    from === undefined ? Object.keys(config.regions).filter((name) => config.regions[name]?.objects) : [from];
  const tenants = tenant === undefined ? Object.keys(config.tenants) : [tenant];
  if (regions.length === 0) throw new XcError('XC-1061', { subject: 'every region' });
  return regions.flatMap((region) => tenants.map((each) => ({ region, tenant: each })));
};

export const readObject = async (store: ObjectStore, key: string): Promise<Buffer | null> => {
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of store.read(key)) pieces.push(piece);
  } catch (error) {
    if (behaviourOf(error) === 'gone') return null;
    throw error;
  }
  return Buffer.concat(pieces);
};

/** Manifests of one place, oldest first; what is none, with why. */
export async function* manifestsOf(
  store: ObjectStore,
): AsyncGenerator<{ readonly id: string } & ({ manifest: Manifest; bytes: Buffer } | { error: XcError })> {
  const ids: string[] = [];
  for await (const { key } of store.list(MANIFESTS)) {
    const id = idOfManifest(key);
    if (id !== null) ids.push(id);
  }
  for (const id of ids) {
    const bytes = await readObject(store, manifestKey(id));
    if (bytes === null) continue; // pruned meanwhile
    try {
      yield { id, manifest: readManifest(bytes, store, id), bytes };
    } catch (error) {
      if (!(error instanceof XcError)) throw error;
      yield { id, error };
    }
  }
}

const readManifest = (bytes: Buffer, store: ObjectStore, id: string): Manifest => {
  const manifest = parseManifest(bytes, `${store.place} ${manifestKey(id)}`);
  if (manifest.id === id) return manifest;
  throw new XcError('XC-5410', {
    subject: `${store.place} ${manifestKey(id)}`,
    why: `it is the manifest of ${manifest.id}`,
  });
};

/**
 * Calls the work with the snapshot while its store is open.
 * @param id "latest" is the newest of those that are looked at
 * @throws XcError XC-1062, XC-5410
 */
export const withSnapshot = async <T>(
  host: Host,
  id: string,
  where: Where,
  work: (found: FoundSnapshot) => Promise<T>,
): Promise<T> => {
  const loaded = await host.config();
  const newest = id === 'latest' ? await newestId(host, loaded, where) : id;
  for await (const place of places(host, loaded, where)) {
    const bytes = newest === null ? null : await readObject(place.store, manifestKey(newest));
    if (bytes !== null)
      return await work({ ...place, manifest: readManifest(bytes, place.store, newest ?? ''), bytes });
  }
  throw new XcError('XC-1062', { subject: id === 'latest' ? 'any snapshot' : `snapshot ${id}` });
};

/** Ids are in the order of their begin. */
const newestId = async (host: Host, loaded: LoadedConfig, where: Where): Promise<string | null> => {
  let newest: string | null = null;
  for await (const { store } of places(host, loaded, where))
    for await (const { key } of store.list(MANIFESTS)) {
      const id = idOfManifest(key);
      if (id !== null && (newest === null || id > newest)) newest = id;
    }
  return newest;
};
