/**
 * Residency: whether what a link sends may be in its target region. Data of a tenant stays in the zones that its
 * residency names; what has lost everything personal may go further where the tenant says so. Pure.
 */

import type { ColumnRule } from '../config/schema.ts';

export interface Flow {
  readonly tenant: string;
  readonly target: { readonly region: string; readonly zone: string };
  /** Undefined where the tenant names no zones: its data may be anywhere. */
  readonly residency:
    { readonly zones: readonly string[]; readonly redacted: 'any' | 'zones' | undefined } | undefined;
  /** Rules of every column that the flow sends; undefined where the tenant has no column rules. */
  readonly rules: readonly (ColumnRule & { readonly column: string })[] | undefined;
}

export type ResidencyVerdict =
  | { readonly allowed: true; readonly reason: string }
  | {
      readonly allowed: false;
      readonly reason: string;
      /** Columns that stand in the way of calling the flow redacted. */
      readonly columns: readonly string[];
    };

/** A class that is none, or that names no person by itself. */
export const isPersonal = ({ pii }: Pick<ColumnRule, 'pii'>): boolean => pii !== undefined && pii !== 'none';

export const judgeResidency = ({ tenant, target, residency, rules }: Flow): ResidencyVerdict => {
  if (!residency) return { allowed: true, reason: `${tenant} names no zones` };
  const zones = residency.zones.join(', ');
  if (residency.zones.includes(target.zone))
    return { allowed: true, reason: `${target.zone} is a zone of ${tenant}` };
  const outside = `${target.region} is in zone ${target.zone}, and data of ${tenant} stays in ${zones}`;
  if (residency.redacted !== 'any') return { allowed: false, reason: outside, columns: [] };
  if (!rules)
    return {
      allowed: false,
      reason: `${outside}; without column rules nothing says that it is redacted`,
      columns: [],
    };
  // What is allowed without a class may be anything: only a class says that it is nobody's.
  const bare = rules
    .filter((rule) => rule.action === 'allow' && (rule.pii === undefined || isPersonal(rule)))
    .map(({ column }) => column);
  return bare.length === 0
    ? { allowed: true, reason: `everything personal of ${tenant} is hashed, masked or dropped` }
    : { allowed: false, reason: `${outside} unless redacted, and it is not`, columns: bare };
};
