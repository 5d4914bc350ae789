/** The gates of one run: approvals that were given for its plan, and what the run itself says. */

import { copyFile, mkdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';
import { countApprovals, needsApproval, type ApprovalFacts } from '../../core/policy/gates/approval.ts';
import type { ObservabilityFacts } from '../../core/policy/gates/observability.ts';
import type { GateRow } from '../../core/policy/gates/table.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { destroyedBy } from '../../core/plan/gates.ts';
import { refuseGates } from '../../core/plan/refuse-gates.ts';
import { gatesOfRun } from '../../core/run/run-gates.ts';
import type { Link } from '../../core/topology/link.ts';
import type { Host } from '../frame/host.ts';
import { policyContext } from './policy-context.ts';

export interface RunPolicy {
  /** Set once the plan was judged. */
  readonly rows: readonly GateRow[] | null;
  /** Key ids of those who approved, each once. */
  readonly approvers: readonly string[];
  /** @throws XcError the code of the gate that stops it */
  refuse(plan: Plan): void;
  /** Copies the approvals to the run, for its evidence. */
  keep(directory: string): Promise<void>;
}

export interface RunPolicyParts {
  /** Null for a plan that nobody reviewed. */
  readonly planFile: string | undefined;
  /** --approval */
  readonly approvals: readonly string[] | undefined;
  readonly existing: 'replace' | undefined;
  readonly links: readonly Link[];
  readonly observability: ObservabilityFacts;
}

export const runPolicy = async (host: Host, parts: RunPolicyParts): Promise<RunPolicy> => {
  const loaded = await host.config();
  const { facts: given, files } = await approvalFacts(host, parts);
  let rows: readonly GateRow[] | null = null;
  return {
    approvers: [...new Set(given.given.map(({ keyId }) => keyId))],
    async keep(directory) {
      if (files.length > 0) await mkdir(directory, { recursive: true });
      for (const file of files) await copyFile(file, join(directory, basename(file)));
    },
    get rows() {
      return rows;
    },
    refuse(plan) {
      const nowMs = host.clock.nowMs();
      const { environment } = loaded.config;
      rows = gatesOfRun(plan, {
        environment,
        links: parts.links,
        existing: parts.existing,
        approval: given,
        observability: parts.observability,
        nowMs,
      });
      const destroys = destroyedBy(parts.links, parts.existing, plan.findings);
      refuseOnlyApproval({ ...INTENT, environment, destroys, digest: plan.digest, nowMs }, given, plan.id);
      // Budgets slow and pause where the bytes flow.
      refuseGates(rows, plan.id, ['P6']);
    },
  };
};

const INTENT = { kind: 'run', subject: '', mode: 'live' } as const;

/** Where every approval is refused, the first one's own reason is what helps. */
const refuseOnlyApproval = (
  intent: Parameters<typeof needsApproval>[0],
  facts: ApprovalFacts,
  subject: string,
): void => {
  if (needsApproval(intent) === null || facts.required === null) return;
  const { names, refused } = countApprovals(intent, facts);
  const [first] = refused;
  if (first && names.length < facts.required)
    throw new XcError(first.code, { subject, why: refused.map(({ why }) => why).join('; ') });
  if (names.length >= facts.required && facts.requester === null) throw new XcError('XC-3037', { subject });
};

/** Nothing of signatures is loaded where no key is trusted. */
const approvalFacts = async (
  host: Host,
  { planFile, approvals }: Pick<RunPolicyParts, 'planFile' | 'approvals'>,
): Promise<{ readonly facts: ApprovalFacts; readonly files: readonly string[] }> => {
  const loaded = await host.config();
  const known = { ...policyContext(loaded).approvals, requester: null, given: [] };
  if (planFile === undefined || known.required === null) return { facts: known, files: [] };
  const { configDirectory, trustedKeys } = await import('../policy/trusted-keys.ts');
  const { approvalFilesBeside, readApprovals, requesterOf } = await import('../policy/approvals.ts');
  const keys = await trustedKeys(loaded.config.signing, configDirectory(loaded.path, host.cwd));
  const path = resolve(host.cwd, planFile);
  const files = approvals?.map((file) => resolve(host.cwd, file)) ?? (await approvalFilesBeside(path));
  const requester = await requesterOf(path, keys);
  return { facts: { ...known, requester, given: await readApprovals(files, keys) }, files };
};
