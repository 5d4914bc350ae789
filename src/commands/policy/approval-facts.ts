/** What approvals there are of a plan's file, and who asked for it. */

import { resolve } from 'node:path';
import type { ApprovalFacts } from '../../core/policy/gates/approval.ts';
import type { Host } from '../frame/host.ts';
import { policyContext } from '../replication/policy-context.ts';

export interface ApprovalFiles {
  /** Undefined where nobody reviewed a plan. */
  readonly planFile: string | undefined;
  /** --approval; those that lie beside the plan without it. */
  readonly approvals: readonly string[] | undefined;
}

/**
 * Nothing of signatures is loaded where no approvals are asked for.
 * @throws XcError XC-1013, XC-2030, XC-2042, XC-3031, XC-3032
 */
export const approvalFacts = async (
  host: Host,
  { planFile, approvals }: ApprovalFiles,
): Promise<{ readonly facts: ApprovalFacts; readonly files: readonly string[] }> => {
  const loaded = await host.config();
  const known = { ...policyContext(loaded).approvals, requester: null, given: [] };
  if (planFile === undefined || known.required === null) return { facts: known, files: [] };
  const { configDirectory, trustedKeys } = await import('./trusted-keys.ts');
  const { approvalFilesBeside, readApprovals, requesterOf } = await import('./approvals.ts');
  const keys = await trustedKeys(loaded.config.signing, configDirectory(loaded.path, host.cwd));
  const path = resolve(host.cwd, planFile);
  const files = approvals?.map((file) => resolve(host.cwd, file)) ?? (await approvalFilesBeside(path));
  const requester = await requesterOf(path, keys);
  return { facts: { ...known, requester, given: await readApprovals(files, keys) }, files };
};
