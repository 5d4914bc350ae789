/** What the loaded configuration says to the gates. */

import type { LoadedConfig } from '../../core/config/loaded.ts';
import type { PolicyContext } from '../../core/plan/policy-context.ts';

/** How long approvals are good for where signing.approvals.validFor is not given. */
export const DAY_MS = 24 * 3_600_000;

export const policyContext = ({ config, manifests = [] }: LoadedConfig): PolicyContext => {
  const keys = Object.values(config.signing?.publicKeys ?? {});
  return {
    environment: config.environment,
    documents: manifests.map(({ name, signedBy, problem }) => ({ name, signedBy, problem })),
    manifests: new Map(
      manifests.flatMap(({ tenant, scopes, approved }) =>
        tenant === null ? [] : [[tenant, { scopes, approved }]],
      ),
    ),
    approvals: {
      required: config.signing?.approvals?.required ?? null,
      validForMs: config.signing?.approvals ? (config.signing.approvals.validFor ?? DAY_MS) : undefined,
      keys: keys.filter(({ scopes }) => scopes.includes('approve')).length,
    },
    budgets: config.budgets,
  };
};
