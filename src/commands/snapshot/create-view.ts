/** A snapshot that is taken, or would be, as people and programs read it. */

import type { ObjectStore } from '../../core/objects/object-store.ts';
import type { Signer } from '../../core/signing/signing.ts';
import { manifestKey, type Manifest } from '../../core/snapshot/manifest.ts';
import type { Link } from '../../core/topology/link.ts';
import type { Outcome } from '../frame/host.ts';
import { bytesText, countText } from '../replication/quantities.ts';

/** What a dry run says. */
export const preview = (
  {
    tenant,
    store,
    options,
  }: {
    tenant: string;
    store: ObjectStore;
    options: { format: Manifest['format']; compress: Manifest['compression'] };
  },
  link: Link,
  extents: readonly { readonly table: string; readonly bytes: number }[],
): Outcome => {
  const bytes = extents.reduce((sum, each) => sum + each.bytes, 0);
  return {
    document: {
      schemaVersion: 1,
      dryRun: true,
      link: link.id,
      store: store.place,
      format: options.format,
      compression: options.compress,
      tables: extents.map(({ table }) => table),
      bytes,
    },
    table: () =>
      `would snapshot ${extents.length} tables of ${tenant} (${bytesText(bytes)} on disk) into ${store.place}`,
  };
};

export const created = (
  { store, signer }: { store: ObjectStore; signer: Signer | null },
  manifest: Manifest,
  sent: { readonly parts: number; readonly bytes: number; readonly found: number },
): Outcome => {
  const { id, tenant, tables, parts, rows, bytes, lsn, merkleRoot, ddl } = manifest;
  return {
    document: {
      schemaVersion: 1,
      id,
      tenant,
      store: store.place,
      manifest: manifestKey(id),
      keyId: signer?.keyId ?? null,
      tables: tables.map(({ table }) => table),
      parts: parts.length,
      rows,
      bytes,
      lsn,
      merkleRoot,
      sentParts: sent.parts,
      sentBytes: sent.bytes,
      foundParts: sent.found,
      ddl: 'key' in ddl,
    },
    table: () =>
      [
        `snapshot ${id}: ${countText(rows)} rows of ${tables.length} tables in ${parts.length} parts, ${bytesText(bytes)}, at ${lsn}`,
        `store: ${store.place}${signer ? `, signed by ${signer.keyId}` : ', without a signature'}`,
        ...(sent.found > 0 ? [`${sent.found} parts were there already`] : []),
        ...('missing' in ddl ? [`no DDL beside it: ${ddl.missing}`] : []),
        `next: xcrepl snapshot verify ${id}`,
      ].join('\n'),
  };
};
