/** The object stores of regions, as commands open them. */

import { dirname } from 'node:path';
import type { LoadedConfig } from '../core/config/loaded.ts';
import type { ObjectsConfig } from '../core/config/objects-schema.ts';
import { XcError } from '../core/errors/xc-error.ts';
import type { ObjectStore } from '../core/objects/object-store.ts';
import type { Host } from './frame/host.ts';

/**
 * The place of a tenant in a region's store; with null, the whole of what the configuration names. Nothing is asked of
 * it yet. The caller closes it.
 * @throws XcError XC-1006, XC-1061, XC-1060, XC-1005
 */
export const openRegionStore = async (
  host: Host,
  loaded: LoadedConfig,
  region: string,
  tenant: string | null = null,
): Promise<ObjectStore> => {
  const settings = loaded.config.regions[region];
  if (!settings) throw new XcError('XC-1006', { subject: `region ${region}` });
  if (!settings.objects) throw new XcError('XC-1061', { subject: `region ${region}` });
  return await openStore(host, loaded, settings.objects, tenant);
};

export const openStore = async (
  host: Host,
  { path }: LoadedConfig,
  objects: ObjectsConfig,
  tenant: string | null,
): Promise<ObjectStore> => {
  const { openObjectStore } = await import('../providers/registry.ts');
  const directory = path === null ? host.cwd : dirname(path);
  const secret = async (reference: string): Promise<string> => await host.secret(reference);
  return await openObjectStore(objects, tenant, {
    clock: host.clock,
    directory,
    secret,
    signal: host.signal,
  });
};
