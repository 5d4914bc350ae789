/** Publishes one manifest: its signature, and the signed pointer that says that it is the newest. */

import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { manifestName, parseManifest } from '../../core/policy/manifest.ts';
import { POINTER_MEDIA_TYPE, pointerBytes } from '../../core/signing/pointer.ts';
import { isoTime } from '../../core/time/clock.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { readGiven } from '../read-given.ts';
import { pointerPath } from './manifests.ts';
import { signerFor, type KeyOptions } from './signer.ts';

export interface PublishOptions extends KeyOptions {
  readonly expiresInMs: number;
}

/** @throws XcError XC-1403 */
export const publishFile = async (host: Host, file: string, options: PublishOptions): Promise<Outcome> => {
  const bytes = await readGiven(host, file);
  const manifest = parseManifest(bytes.toString(), file);
  const signer = await signerFor(host, options);
  const pointer = {
    schemaVersion: 1 as const,
    name: manifestName(manifest),
    version: manifest.version,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    expires: isoTime(host.clock.nowMs() + options.expiresInMs),
  };
  const written = [`${file}.sigstore.json`, pointerPath(file)] as const;
  if (!host.flags.dryRun) {
    // The pointer last: until it is there, the version before is in force.
    await writeDurably(resolve(host.cwd, written[0]), await bundles.signBlob(bytes, signer));
    await writeDurably(
      resolve(host.cwd, written[1]),
      await bundles.signEnvelope(pointerBytes(pointer), POINTER_MEDIA_TYPE, signer),
    );
  }
  return {
    document: { ...pointer, keyId: signer.keyId, written, ...(host.flags.dryRun ? { dryRun: true } : {}) },
    table: () =>
      `${host.flags.dryRun ? 'would publish' : 'published'} ${pointer.name} version ${pointer.version}, good until ${pointer.expires}: ${written.join(', ')}`,
  };
};
