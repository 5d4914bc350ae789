/**
 * What a target remembers of the signed manifests that were in force on it. It decides beside the pointer: a host or
 * directory that never saw a manifest would take an older one for the newest, and would take an unsigned file's word
 * where a manifest was taken away. Pure.
 */

import type { LoadedConfig, ManifestInForce } from '../config/loaded.ts';
import { XcError } from '../errors/xc-error.ts';
import { refuseOlder, type Version } from '../signing/pointer.ts';
import type { Manifest } from './manifest.ts';

export interface RememberedManifest extends Version {
  readonly controlPlane: string;
  /** "tenant/acme". */
  readonly name: string;
  readonly speaksOf: readonly string[];
}

/** What a manifest speaks of, instead of the file: "tenant acme", "rule shop". */
export const spokenOf = (manifest: Manifest): string[] =>
  manifest.kind === 'tenant'
    ? Object.keys(manifest.tenant).map((name) => `tenant ${name}`)
    : manifest.rules.map(({ id }) => `rule ${id}`);

/**
 * @param region whose database remembers them
 * @throws XcError XC-2039 for one that was rolled back, XC-2060 for one that is gone while the file speaks in its place
 */
export const refuseForgotten = (
  { config, manifests = [], mode }: Pick<LoadedConfig, 'config' | 'manifests' | 'mode'>,
  known: readonly RememberedManifest[],
  region: string,
): void => {
  const signed = manifests.filter(({ signedBy }) => signedBy !== null);
  const covered = new Set(signed.flatMap(({ speaksOf }) => speaksOf));
  const named = [
    ...Object.keys(config.tenants).map((name) => `tenant ${name}`),
    ...config.rules.map(({ id }) => `rule ${id}`),
  ];
  for (const one of known.filter(({ controlPlane }) => controlPlane === config.controlPlane)) {
    const found = signed.find(({ id }) => id === one.name);
    if (found) {
      refuseOlder(found, one, found.id, `on ${region}`);
      continue;
    }
    const bare = one.speaksOf.find((what) => named.includes(what) && !covered.has(what));
    // Simulation takes manifests that nobody signed, and says so.
    if (bare !== undefined && mode === 'live')
      throw new XcError('XC-2060', {
        subject: one.name,
        why: `version ${one.version} was in force on ${region}, and now the configuration file speaks of ${bare}`,
      });
  }
};

/** What a target is to remember. */
export const toRemember = (
  controlPlane: string,
  manifests: readonly ManifestInForce[] | undefined,
): RememberedManifest[] =>
  (manifests ?? [])
    .filter(({ signedBy }) => signedBy !== null)
    .map(({ id, version, digest, speaksOf }) => ({ controlPlane, name: id, version, digest, speaksOf }));
