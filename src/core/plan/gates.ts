/**
 * The policy table of a plan: one row a gate. A gate that is not built says NOT_ENFORCED with what is missing; it never
 * says PASS, because a reader of the table relies on that word.
 */

import type { GateRow } from './plan.ts';
import type { Carried } from './publication.ts';

const NAMES = {
  P1: 'personal data',
  P2: 'signatures',
  P3: 'approval',
  P4: 'observability',
  P5: 'tenant isolation',
  P6: 'budgets',
  P7: 'integrity',
  residency: 'residency',
} as const satisfies Record<GateRow['gate'], string>;

/** P1 cannot be FAIL here: a plan with an unnamed column was refused before (XC-2001). */
export const gateTable = (carried: Carried, mode: 'live' | 'simulation'): GateRow[] => {
  const simulated = mode === 'simulation';
  const row = (gate: GateRow['gate'], verdict: GateRow['verdict'], reason: string): GateRow => ({
    gate,
    name: NAMES[gate],
    verdict,
    simulated,
    reason,
  });
  return [
    row('P1', 'PASS', columnRulesReason(carried)),
    row('P2', 'NOT_ENFORCED', 'signed manifests are not built yet; the configuration file is taken as it is'),
    row('P3', 'NOT_ENFORCED', 'approvals are not built yet; whoever can run this command can run the plan'),
    row(
      'P4',
      'NOT_ENFORCED',
      'run --follow serves /health and /metrics; that they are scraped is not checked yet',
    ),
    row('P5', 'PASS', isolationReason(carried)),
    row('P6', 'NOT_ENFORCED', 'budgets are read but not built into the data path yet'),
    row(
      'P7',
      'NOT_ENFORCED',
      'tables are compared by checksum at the end; signed manifests are not built yet',
    ),
    row('residency', 'PASS', residencyReason(carried)),
  ];
};

const columnRulesReason = (carried: Carried): string => {
  const tenants = (ruled: boolean): string[] => [
    ...new Set(
      [...carried.keys()].filter((link) => (link.columns !== undefined) === ruled).map((l) => l.tenant),
    ),
  ];
  const ruled = tenants(true);
  const free = tenants(false);
  if (ruled.length === 0) return 'no column rules';
  const rest = free.length > 0 ? `; ${count(free.length, 'tenant')} without column rules` : '';
  return `every column in scope of ${count(ruled.length, 'tenant')} with rules is named${rest}`;
};

/** Cannot be FAIL here: a flow that leaves its zones was refused before (XC-2032). */
const residencyReason = (carried: Carried): string => {
  const bound = [...carried.keys()].filter((link) => link.residency);
  const redacted = bound.filter(({ residency }) => !residency!.zones.includes(residency!.targetZone));
  const free = carried.size - bound.length;
  return [
    `${count(bound.length - redacted.length, 'link')} within the zones of their tenants`,
    ...(redacted.length > 0
      ? [`${count(redacted.length, 'link')} outside, with everything personal redacted`]
      : []),
    ...(free > 0 ? [`${count(free, 'link')} of tenants that name no zones`] : []),
  ].join('; ');
};

const isolationReason = (carried: Carried): string => {
  const kinds = new Set([...carried.keys()].map((link) => link.scope.kind));
  const ways: string[] = [];
  if (kinds.has('column')) ways.push('publication row filters at the source');
  if (kinds.has('schema')) ways.push('schemas of one tenant alone');
  if (kinds.has('database')) ways.push('databases of one tenant alone');
  return ways.length === 0 ? 'no link in scope' : `rows are told apart by ${ways.join(' and ')}`;
};

const count = (amount: number, noun: string): string => `${amount} ${noun}${amount === 1 ? '' : 's'}`;
