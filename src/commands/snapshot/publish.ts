/** Makes a snapshot of parts that are there: its signed manifest, and the entry in the audit log. */

import { Buffer } from 'node:buffer';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import { digest } from '../../core/plan/basis.ts';
import type { Signer } from '../../core/signing/signing.ts';
import { manifestBytes, manifestKey, signatureKey, type Manifest } from '../../core/snapshot/manifest.ts';
import { once } from '../../core/snapshot/send-parts.ts';
import type { Host } from '../frame/host.ts';

/** The signature first: a manifest without one is never seen. */
export const publish = async (
  { host, store, signer }: { host: Host; store: ObjectStore; signer: Signer | null },
  manifest: Manifest,
): Promise<void> => {
  const bytes = manifestBytes(manifest);
  const { id, tenant } = manifest;
  if (signer) {
    const { bundles } = await import('../../providers/cosign/bundles.ts');
    await store.write(signatureKey(id), once(Buffer.from(await bundles.signBlob(bytes, signer))));
  }
  await store.write(manifestKey(id), once(bytes), { when: { kind: 'absent' } });
  await host.audit.append({
    action: 'snapshot.create',
    subject: id,
    tenant,
    after: digest(manifest),
    facts: {
      region: manifest.source.region,
      store: store.place,
      parts: manifest.parts.length,
      rows: manifest.rows,
      bytes: manifest.bytes,
      merkleRoot: manifest.merkleRoot,
      ...(signer ? { keyId: signer.keyId } : {}),
    },
  });
};
