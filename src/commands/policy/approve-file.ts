/** Approves one plan or manifest, offline. */

import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { parseRemoval } from '../../core/plan/removal.ts';
import { parsePlan } from '../../core/run/plan-file.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { approvalBytes } from '../../core/signing/approval-statement.ts';
import { STATEMENT_MEDIA_TYPE } from '../../core/signing/statement.ts';
import { isoTime } from '../../core/time/clock.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { readGiven } from '../read-given.ts';
import { DAY_MS } from '../replication/policy-context.ts';
import { approvalPath, requesterOf } from './approvals.ts';
import { signerFor, type KeyOptions } from './signer.ts';
import { configDirectory, trustedKeys, type TrustedKey } from './trusted-keys.ts';

export interface ApproveOptions extends KeyOptions {
  readonly approvedBy: string;
  readonly keyRef: string;
  readonly out?: string | undefined;
}

export const approveFile = async (host: Host, file: string, options: ApproveOptions): Promise<Outcome> => {
  const loaded = await host.config();
  const { signing } = loaded.config;
  const keys = await trustedKeys(signing, configDirectory(loaded.path, host.cwd));
  const approver = approverOf(keys, options.approvedBy);
  const path = resolve(host.cwd, file);
  const about = await subjectOf(host, file);
  if ((await requesterOf(path, keys)) === approver.key.keyId)
    throw new XcError('XC-3034', { subject: file, why: `${approver.name} signed it as its requester` });
  const signer = await signerFor(host, { ...options, key: options.keyRef });
  if (signer.keyId !== approver.key.keyId)
    throw new XcError('XC-1405', {
      subject: options.keyRef,
      why: `its key id is ${signer.keyId}, that of ${approver.name} is ${approver.key.keyId}`,
    });
  const nowMs = host.clock.nowMs();
  const validForMs = signing?.approvals?.validFor ?? DAY_MS;
  const out = options.out ?? approvalPath(file, approver.name);
  if (!host.flags.dryRun) {
    const envelope = await bundles.signEnvelope(
      approvalBytes(about, nowMs, validForMs),
      STATEMENT_MEDIA_TYPE,
      signer,
    );
    await writeDurably(resolve(host.cwd, out), envelope);
  }
  const expiresAt = isoTime(nowMs + validForMs);
  return {
    document: {
      schemaVersion: 1,
      ...about,
      approvedBy: approver.name,
      keyId: signer.keyId,
      expiresAt,
      approval: out,
      ...(host.flags.dryRun ? { dryRun: true } : {}),
    },
    table: () =>
      `${host.flags.dryRun ? 'would approve' : 'approved'} ${about.subject} as ${approver.name}, good until ${expiresAt}: ${out}`,
  };
};

/** By name or key id. @throws XcError XC-3032 */
const approverOf = (keys: readonly TrustedKey[], wanted: string): TrustedKey => {
  const found = keys.find(({ name, key }) => name === wanted || key.keyId === wanted);
  if (found?.scopes.includes('approve')) return found;
  throw new XcError('XC-3032', {
    subject: wanted,
    why: found ? 'its key has no scope approve' : 'signing.publicKeys names no such key',
  });
};

/** A plan by the digest in it, anything else by the sha256 of the file. @throws XcError XC-1303, XC-3003 */
const subjectOf = async (
  host: Host,
  file: string,
): Promise<{ readonly subject: string; readonly digest: string }> => {
  const bytes = await readGiven(host, file);
  const text = bytes.toString();
  const [, kind] = (text.startsWith('{') && /"kind":\s*"(replicate|repair-rows|removal)"/.exec(text)) || [];
  if (kind !== undefined) {
    const plan = kind === 'removal' ? parseRemoval(text, file) : parsePlan(text, file);
    return { subject: plan.id, digest: plan.digest };
  }
  return { subject: file, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
};
