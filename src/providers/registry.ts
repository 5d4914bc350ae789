/**
 * An explicit table: what a configuration's kind builds. It alone knows more than one provider; a region's address says
 * which (core/changelog/log-address.ts).
 */

import { logPath } from '../core/changelog/log-address.ts';
import type { ReplayedLog } from '../core/changelog/replayed-log.ts';
import type { ObjectsConfig } from '../core/config/objects-schema.ts';
import type { ObjectStore } from '../core/objects/object-store.ts';
import { prefixFor, type StoreParts } from '../core/objects/store-place.ts';
import type { StreamEngine } from '../core/replication/engine.ts';
import { resolve } from 'node:path';
import { replayedLog } from './changelog/replayed-log.ts';
import { openEngine } from './postgres/engine/open.ts';
import type { EngineOptions } from './postgres/engine/options.ts';

/** The log at a region's address, or null where a server is. */
export const logAt = (address: string | undefined): ReplayedLog | null => {
  const path = address === undefined ? null : logPath(address);
  return path === null ? null : replayedLog(path);
};

/** The engine of a stream between these two addresses. Nothing is connected before `acquire`. */
export const openStreamEngine = (options: EngineOptions): StreamEngine =>
  openEngine(options, logAt(options.dsn.source));

/** A memory store lives as long as its configuration: opened twice in one process, it is one store. */
const inMemory = new WeakMap<ObjectsConfig, Map<string, Promise<ObjectStore>>>();

/**
 * The object store of a region, and in it the place of a tenant; with null for the tenant, the whole of what the
 * configuration names. Each provider's SDK is loaded only here, when a store of its kind is opened. No request is sent.
 * @throws XcError XC-1005, XC-1060
 */
export const openObjectStore = async (
  config: ObjectsConfig,
  tenant: string | null,
  parts: StoreParts,
): Promise<ObjectStore> => {
  switch (config.kind) {
    case 's3':
      return await (await import('./s3/open-s3.ts')).openS3(config, tenant, parts);
    case 'gcs':
      return await (await import('./gcs/open-gcs.ts')).openGcs(config, tenant, parts);
    case 'azure':
      return await (await import('./azure/open-azure.ts')).openAzure(config, tenant, parts);
    case 'local': {
      const { LocalStore } = await import('./local/local-store.ts');
      // A prefix is a directory here, and a tenant's lies in it.
      const prefix = config.prefix?.replace(/\/*$/, '/');
      const root = resolve(parts.directory, config.path, prefixFor({ ...config, prefix }, tenant));
      return new LocalStore(root, () => parts.clock.nowMs());
    }
    case 'memory': {
      const stores = inMemory.get(config) ?? new Map<string, Promise<ObjectStore>>();
      inMemory.set(config, stores);
      const place = `memory:${tenant ?? ''}`;
      const store =
        stores.get(place) ??
        import('./memory/memory-store.ts').then(({ MemoryStore }) => new MemoryStore(parts.clock, place));
      stores.set(place, store);
      return await store;
    }
  }
};
