/** Whether a manifest is signed by a key that is trusted for snapshots. */

import type { LoadedConfig } from '../../core/config/loaded.ts';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import type { PublicKey } from '../../core/signing/signing.ts';
import { signatureKey } from '../../core/snapshot/manifest.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { publicKeyOf } from '../../providers/cosign/signing-key.ts';
import type { Host } from '../frame/host.ts';
import { configDirectory, trustedKeys } from '../policy/trusted-keys.ts';
import { readGiven } from '../read-given.ts';
import { readObject, type FoundSnapshot } from './find-snapshots.ts';

export interface TrustOptions {
  /** Paths of public keys; those of the configuration with the scope snapshot without. */
  readonly key?: readonly string[] | undefined;
  /** Takes a snapshot that nobody signed. */
  readonly unsigned?: boolean | undefined;
}

/**
 * @returns the id of the key, or null where none was asked for
 * @throws XcError XC-1063, XC-5411
 */
export const checkSignature = async (
  host: Host,
  { store, manifest, bytes }: FoundSnapshot,
  options: TrustOptions,
): Promise<string | null> => {
  const subject = `${store.place} ${signatureKey(manifest.id)}`;
  const signature = await readObject(store, signatureKey(manifest.id));
  if (signature === null) {
    if (options.unsigned) return null;
    throw new XcError('XC-5411', { subject, why: 'there is no signature beside it' });
  }
  const keys = await trusted(host, await host.config(), options);
  if (keys.length === 0) throw new XcError('XC-1063');
  try {
    return (await bundles.verify(signature.toString(), bytes, keys)).keyId;
  } catch (error) {
    if (!isXcError(error)) throw error;
    throw new XcError('XC-5411', { subject, why: error.why ?? error.message, cause: error });
  }
};

const trusted = async (
  host: Host,
  { config, path }: LoadedConfig,
  { key }: TrustOptions,
): Promise<PublicKey[]> => {
  if (key && key.length > 0)
    return await Promise.all(
      key.map(async (file) => publicKeyOf((await readGiven(host, file)).toString(), file)),
    );
  const known = await trustedKeys(config.signing, configDirectory(path, host.cwd));
  return known.flatMap((one) => (one.scopes.includes('snapshot') ? [one.key] : []));
};
