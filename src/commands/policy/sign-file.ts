/** Signs one file. */

import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { bundles } from '../../providers/cosign/bundles.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { signerFor, type KeyOptions } from './signer.ts';
import { readGiven } from '../read-given.ts';

export interface SignOptions extends KeyOptions {
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
