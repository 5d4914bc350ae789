/** What the loaded configuration says to the gates. */

import type { LoadedConfig } from '../../core/config/loaded.ts';
import type { PolicyContext } from '../../core/plan/gates.ts';

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
      keys: keys.filter(({ scopes }) => scopes.includes('approve')).length,
    },
    budgets: config.budgets,
  };
};
