/** Reads a snapshot back from its store, and says what is not as its signed manifest says. */

import { EXIT } from '../../core/errors/exit.ts';
import { isXcError } from '../../core/errors/xc-error.ts';
import { manifestKey, signatureKey, type Manifest } from '../../core/snapshot/manifest.ts';
import { sideBySide } from '../../core/snapshot/send-parts.ts';
import {
  manifestFaults,
  sampleParts,
  verifyPart,
  type Owner,
  type SnapshotFault,
} from '../../core/snapshot/verify-parts.ts';
import type { ObjectStore } from '../../core/objects/object-store.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { bytesText } from '../replication/quantities.ts';
import { manifestsOf, withSnapshot, type FoundSnapshot, type Where } from './find-snapshots.ts';
import { checkSignature, type TrustOptions } from './signature.ts';

export interface VerifyOptions extends Where, TrustOptions {
  /** Share of the parts; 1 reads all. */
  readonly sample: number;
  readonly transfers: number;
}

export const verifySnapshot = async (host: Host, id: string, options: VerifyOptions): Promise<Outcome> =>
  await withSnapshot(host, id, options, async (found) => {
    const { manifest, store } = found;
    const signed = await signature(host, found, options);
    const parts = sampleParts(manifest.parts, options.sample, host.random);
    const progress = host.progress(`verify ${manifest.id}`);
    const owner = ownerIn(store, manifest);
    let done = 0;
    const results = await sideBySide(parts, options.transfers, host.signal, async (part, signal) => {
      const fault = await verifyPart(store, part, owner, manifest, signal);
      progress.update(++done, parts.length);
      return fault;
    }).finally(() => progress.end());
    const faults = [
      ...signed.faults,
      ...manifestFaults(manifest, manifestKey(manifest.id)),
      ...results.filter((fault) => fault !== null),
    ];
    return outcome(found, { keyId: signed.keyId, read: parts.length, faults });
  });

const signature = async (
  host: Host,
  found: FoundSnapshot,
  options: VerifyOptions,
): Promise<{ keyId: string | null; faults: SnapshotFault[] }> => {
  try {
    return { keyId: await checkSignature(host, found, options), faults: [] };
  } catch (error) {
    if (!isXcError(error) || error.code !== 'XC-5411') throw error;
    const key = signatureKey(found.manifest.id);
    const seen = `not signed by a trusted key: ${error.why ?? ''}`;
    return {
      keyId: null,
      faults: [{ fault: 'manifest', code: error.code, key, part: null, table: null, seen }],
    };
  }
};

/** Asked only where a part is wrong: reads the other manifests once. */
const ownerIn = (store: ObjectStore, manifest: Manifest): Owner => {
  let known: Promise<Map<string, { id: string; part: number }>> | undefined;
  const read = async (): Promise<Map<string, { id: string; part: number }>> => {
    const found = new Map<string, { id: string; part: number }>();
    const add = ({ id, parts }: Manifest): void => {
      for (const { sha256, number } of parts) found.set(sha256, { id, part: number });
    };
    for await (const one of manifestsOf(store)) if ('manifest' in one) add(one.manifest);
    add(manifest);
    return found;
  };
  return async (sha256) => (await (known ??= read())).get(sha256) ?? null;
};

const outcome = (
  { manifest, store }: FoundSnapshot,
  seen: { keyId: string | null; read: number; faults: readonly SnapshotFault[] },
): Outcome => {
  const { id, parts } = manifest;
  const { keyId, read, faults } = seen;
  const whole = read === parts.length;
  const verdict = faults.length > 0 ? 'fail' : whole ? 'pass' : 'unknown';
  return {
    document: {
      schemaVersion: 1,
      id,
      store: store.place,
      verdict,
      keyId,
      parts: parts.length,
      partsRead: read,
      merkleRoot: manifest.merkleRoot,
      faults,
    },
    exit: faults.length > 0 ? EXIT.findings : EXIT.done,
    table: (paint) => {
      if (faults.length > 0)
        return [
          paint.bad(`snapshot ${id} does not hold: ${faults.length} faults`),
          paint.table(
            ['fault', 'code', 'table', 'key', 'seen'],
            faults.map(({ fault, code, table, key, seen: what }) => [fault, code, table ?? '', key, what]),
          ),
        ].join('\n');
      const by = keyId === null ? 'without a signature' : `signed by ${keyId}`;
      return whole
        ? `${paint.good('holds')}: snapshot ${id}, ${parts.length} parts, ${bytesText(manifest.bytes)} read back, ${by}`
        : `no fault in a sample of ${read} of ${parts.length} parts of snapshot ${id}, ${by}`;
    },
  };
};
