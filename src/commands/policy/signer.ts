/** The key that signs: a file in cosign's format, a reference to one, or a key service that cosign reaches. */

import type { Signer } from '../../core/signing/signing.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { isServiceKey } from '../../providers/cosign/cosign-program.ts';
import { openKey } from '../../providers/cosign/sealed-key.ts';
import { signerOf } from '../../providers/cosign/signing-key.ts';
import type { Host } from '../frame/host.ts';
import { readGiven } from '../read-given.ts';
import { passphraseOf } from './passphrase.ts';
import type { SIGNERS } from './signer-names.ts';

export interface KeyOptions {
  /** A path, env:, file:, cmd: or vault: with the key's PEM, or a key service; the configuration's cosign.key without. */
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly signer?: (typeof SIGNERS)[number] | undefined;
}

/** @throws XcError XC-1005, XC-1013, XC-1401, XC-1402, XC-1406 to XC-1408, XC-4010, XC-4011 */
export const signerFor = async (host: Host, options: KeyOptions): Promise<Signer> => {
  const reference = options.key ?? (await host.config()).config.cosign?.key;
  if (reference === undefined)
    throw new XcError('XC-1005', {
      subject: 'signing key',
      why: 'neither an option nor cosign.key of the configuration names one',
      next: 'xcrepl policy keygen makes one',
    });
  if (isServiceKey(reference) || options.signer === 'cosign') {
    const { cosignSigner } = await import('../../providers/cosign/cosign-program.ts');
    const needed = !isServiceKey(reference) && host.env['COSIGN_PASSWORD'] === undefined;
    return await cosignSigner(reference, {
      env: host.env,
      cwd: host.cwd,
      signal: host.signal,
      ...(needed ? { passphrase: await passphraseOf(host, options.passphrase) } : {}),
    });
  }
  const pem = /^(env|file|cmd|vault):/.test(reference)
    ? await host.secret(reference)
    : (await readGiven(host, reference)).toString();
  return signerOf(await openKey(pem, await passphraseOf(host, options.passphrase), reference));
};
