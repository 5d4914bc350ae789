/** Who signs the manifests of mirrors, and whose are believed. */

import { resolve } from 'node:path';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import type { PublicKey, Signer, Verified } from '../../core/signing/signing.ts';
import { STATEMENT_MEDIA_TYPE } from '../../core/signing/statement.ts';
import { openLogKey, readLogKey } from '../../providers/audit-files/log-key.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { publicKeyOf, signerOf } from '../../providers/cosign/signing-key.ts';
import type { Host } from '../frame/host.ts';
import { signerFor, type KeyOptions } from '../policy/signer.ts';
import { configDirectory, trustedKeys } from '../policy/trusted-keys.ts';

export interface ManifestSigning {
  readonly keyId: string;
  sign(statement: Uint8Array): Promise<string>;
}

const auditDirectory = (host: Host): string => resolve(host.cwd, '.xcrepl', 'audit');

/**
 * By the key that is given, else by cosign.key of the configuration, else by the key of this directory's audit log: no
 * manifest is without a signature.
 */
export const manifestSigning = async (host: Host, options: KeyOptions): Promise<ManifestSigning> => {
  const { config } = await host.config();
  const named = options.key ?? config.cosign?.key;
  const signer: Signer =
    named === undefined
      ? signerOf(await openLogKey(auditDirectory(host)))
      : await signerFor(host, { ...options, key: named });
  return {
    keyId: signer.keyId,
    sign: async (statement) => await bundles.signEnvelope(statement, STATEMENT_MEDIA_TYPE, signer),
  };
};

/** Under the keys that the configuration trusts, and the audit log's own. Reads; makes no key. */
export const manifestVerifier = async (
  host: Host,
  { config, path }: LoadedConfig,
  options: KeyOptions,
): Promise<(bundle: string) => Promise<Verified>> => {
  const keys: PublicKey[] = (await trustedKeys(config.signing, configDirectory(path, host.cwd))).map(
    ({ key }) => key,
  );
  const own = await readLogKey(auditDirectory(host));
  if (own) keys.push(publicKeyOf(signerOf(own).publicKey, 'the audit log’s key'));
  if ((options.key ?? config.cosign?.key) !== undefined && !host.flags.dryRun)
    keys.push(publicKeyOf((await signerFor(host, options)).publicKey, 'the signing key'));
  return async (bundle) => await bundles.verify(bundle, null, keys);
};
