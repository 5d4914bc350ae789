/** The secrets that hash rules name, resolved. */

import type { LoadedConfig } from '../../core/config/loaded.ts';
import type { Host } from '../frame/host.ts';

/** By their names under hashKeys. @throws XcError XC-1005 for a missing secret */
export const hashKeysOf = async (host: Host, loaded: LoadedConfig): Promise<Map<string, Uint8Array>> => {
  const keys = new Map<string, Uint8Array>();
  for (const [name, reference] of Object.entries(loaded.config.hashKeys))
    keys.set(name, Buffer.from(await host.secret(reference)));
  return keys;
};
