/** From what verification found to a plan that mends it. Pure. */

import type { TableDifferences } from '../replication/engine.ts';
import type { StreamKey } from '../topology/link.ts';
import { compareFindings } from '../validation/finding.ts';
import { planDigest } from './basis.ts';
import { withDestroyed } from './gates.ts';
import type { PolicyContext } from './policy-context.ts';
import type { Finding, Plan, RepairRows } from './plan.ts';
import { REPAIR_DISCARDS } from './destroys.ts';

export interface StreamDifferences {
  readonly stream: StreamKey;
  readonly region: string;
  /** Of the row digests. */
  readonly seed: string;
  readonly differences: readonly TableDifferences[];
}

/** @param base a plan made for the same links from the facts of now: what it rests on is what this one rests on */
export const repairRowsPlan = (
  base: Plan,
  streams: readonly StreamDifferences[],
  policy?: PolicyContext,
): Plan => {
  const steps: RepairRows[] = [];
  for (const { stream, region, seed, differences } of streams)
    for (const { table, links, hashing, rows } of differences)
      steps.push({
        id: `s${steps.length + 1}`,
        kind: 'repair-rows',
        stream,
        dependsOn: [],
        table,
        links,
        seed,
        hashing,
        epoch: base.epochs[region] ?? 0,
        rows,
      });
  const rows = steps.reduce((sum, step) => sum + step.rows.length, 0);
  const { digest: _, ...rest } = base;
  const made = {
    ...rest,
    kind: 'repair-rows' as const,
    steps,
    estimate: { rows, bytes: 0, walBytes: 0, minutes: 0 },
    findings: streams.flatMap(discards).toSorted(compareFindings),
  };
  const plan = { ...made, policy: withDestroyed(made, policy, Date.parse(base.createdAt)) };
  return { ...plan, digest: planDigest(plan) };
};

/** What only the target has is deleted: nobody can bring it back from the source. */
const discards = ({ region, differences }: StreamDifferences): Finding[] =>
  differences.flatMap(({ table, rows }): Finding[] => {
    const extra = rows.filter(({ kind }) => kind === 'extra').length;
    if (extra === 0) return [];
    return [
      {
        check: REPAIR_DISCARDS,
        region,
        subject: table,
        verdict: 'fail',
        severity: 'warn',
        seen: `${extra} rows that only ${region} has are deleted by the repair`,
        remedy: `run the plan with --confirm ${region}, once none of them is worth keeping`,
        code: 'XC-5262',
      },
    ];
  });
