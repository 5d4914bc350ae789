/** Signs one file. */

import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Signer } from '../../core/signing/signing.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { openKey } from '../../providers/cosign/sealed-key.ts';
import { signerOf } from '../../providers/cosign/signing-key.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { passphraseOf } from './passphrase.ts';
import { readGiven } from '../read-given.ts';

export interface SignOptions {
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  readonly out?: string | undefined;
  readonly raw: boolean;
}

export const signFile = async (host: Host, file: string, options: SignOptions): Promise<Outcome> => {
  const blob = await readGiven(host, file);
  const signer = await signerFor(host, options);
  const about = {
    schemaVersion: 1 as const,
    file,
    sha256: `sha256:${createHash('sha256').update(blob).digest('hex')}`,
    keyId: signer.keyId,
  };
  if (options.raw) {
    const signature = Buffer.from(await signer.sign(blob)).toString('base64');
    return { document: { ...about, signature }, table: () => signature };
  }
  const out = options.out ?? `${file}.sigstore.json`;
  if (!host.flags.dryRun) await writeDurably(resolve(host.cwd, out), await bundles.signBlob(blob, signer));
  return {
    document: { ...about, bundle: out, ...(host.flags.dryRun ? { dryRun: true } : {}) },
    table: () => `${host.flags.dryRun ? 'would sign' : 'signed'} ${file} by key ${signer.keyId}: ${out}`,
  };
};

/** @throws XcError XC-1005, XC-1401, XC-1402, XC-4010 */
const signerFor = async (host: Host, options: SignOptions): Promise<Signer> => {
  const path = options.key ?? (await host.config()).config.cosign?.key;
  if (path === undefined)
    throw new XcError('XC-1005', {
      subject: 'signing key',
      why: 'neither --key nor cosign.key of the configuration names one',
      next: 'xcrepl policy keygen makes one',
    });
  const pem = (await readGiven(host, path)).toString();
  return signerOf(await openKey(pem, await passphraseOf(host, options.passphrase), path));
};
