/** Approvals of a reviewed plan of a mirror: they sign the sha256 of its file. */

import { resolve } from 'node:path';
import type { ApprovalFacts } from '../../core/policy/gates/approval.ts';
import type { Host } from '../frame/host.ts';
import { policyContext } from '../replication/policy-context.ts';
import { fileDigest } from './line-file.ts';

export interface ApprovalOptions {
  readonly plan?: string | undefined;
  readonly approval?: readonly string[] | undefined;
}

/** Nothing of signatures is loaded where no plan was reviewed, or no key is trusted. */
export const approvalOfPlan = async (
  host: Host,
  { plan, approval }: ApprovalOptions,
): Promise<{ readonly facts: ApprovalFacts; readonly digest: string | null }> => {
  const loaded = await host.config();
  const known = { ...policyContext(loaded).approvals, requester: null, given: [] };
  if (plan === undefined || known.required === null) return { facts: known, digest: null };
  const { configDirectory, trustedKeys } = await import('../policy/trusted-keys.ts');
  const { approvalFilesBeside, readApprovals, requesterOf } = await import('../policy/approvals.ts');
  const keys = await trustedKeys(loaded.config.signing, configDirectory(loaded.path, host.cwd));
  const path = resolve(host.cwd, plan);
  const files = approval?.map((file) => resolve(host.cwd, file)) ?? (await approvalFilesBeside(path));
  const requester = await requesterOf(path, keys);
  return {
    facts: { ...known, requester, given: await readApprovals(files, keys) },
    digest: await fileDigest(path),
  };
};
