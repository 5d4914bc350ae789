/** The gates of a restore: what leaves a store for a region is judged as what leaves a region for a store. */

import type { LoadedConfig } from '../../core/config/loaded.ts';
import { gateTable } from '../../core/plan/gates.ts';
import { refuseGates } from '../../core/plan/refuse-gates.ts';
import { refuseResidency } from '../../core/plan/refusals.ts';
import type { Link } from '../../core/topology/link.ts';
import type { TableFacts } from '../../core/topology/table.ts';
import type { Host } from '../frame/host.ts';
import { policyContext } from '../replication/policy-context.ts';

/** @throws XcError of the gate that stops it */
export const judgeRestore = (
  host: Host,
  loaded: LoadedConfig,
  link: Link,
  tables: readonly TableFacts[],
  existing: 'refuse' | 'replace',
): void => {
  const carried = new Map([[link, tables]]);
  refuseResidency(carried);
  const rows = gateTable(
    carried,
    {
      mode: loaded.mode,
      policy: policyContext(loaded),
      ...(existing === 'replace' ? { existing } : {}),
    },
    // No part counts before its digest was compared, which is what P7 asks for.
    {
      id: link.id,
      nowMs: host.clock.nowMs(),
      findings: [],
      used: () => undefined,
      as: 'snapshot',
      verified: true,
    },
  );
  refuseGates(rows, link.id, ['P6']);
};
