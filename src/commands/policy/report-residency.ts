/** The residency report, signed. */

import { resolve } from 'node:path';
import canonicalize from 'canonicalize';
import { residencyCounts } from '../../core/policy/residency-counts.ts';
import { isoTime } from '../../core/time/clock.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { signerFor, type KeyOptions } from './signer.ts';

export const reportResidency = async (
  host: Host,
  { out, ...key }: KeyOptions & { readonly out: string },
): Promise<Outcome> => {
  const { config, digest } = await host.config();
  const flows = residencyCounts(config);
  const report = {
    schemaVersion: 1 as const,
    kind: 'residency-report' as const,
    at: isoTime(host.clock.nowMs()),
    controlPlane: config.controlPlane,
    config: digest,
    flows,
  };
  const signer = await signerFor(host, key);
  const bytes = Buffer.from(`${canonicalize(report) ?? ''}\n`);
  const signature = `${out}.sigstore.json`;
  if (!host.flags.dryRun) {
    await writeDurably(resolve(host.cwd, out), bytes.toString());
    await writeDurably(resolve(host.cwd, signature), await bundles.signBlob(bytes, signer));
  }
  return {
    document: { ...report, keyId: signer.keyId, written: host.flags.dryRun ? [] : [out, signature] },
    records: flows,
    table: (paint) =>
      [
        paint.table(
          ['tenant', 'region', 'zone', 'checked', 'allowed', 'refused'],
          flows.map((one) => [
            one.tenant,
            one.region,
            one.zone,
            String(one.checked),
            String(one.allowed),
            one.refused > 0 ? paint.bad(String(one.refused)) : '0',
          ]),
        ),
        '',
        host.flags.dryRun ? 'would write and sign it' : `written: ${out}, signed by ${signer.keyId}`,
      ].join('\n'),
  };
};
