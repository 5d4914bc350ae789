/**
 * P1: a tenant with column rules is default-deny, and what is classified as personal leaves as it is only by a manifest
 * that was signed by a key with the scope pii:replicate, and approved.
 */

import { count, fail, pass, unknown, type Judged, type PolicyGate } from './gate.ts';

export const PII_SCOPE = 'pii:replicate';

export interface PersonalFact {
  readonly tenant: string;
  /** Whether the tenant has column rules. */
  readonly ruled: boolean;
  /** Columns in scope that no rule names, as schema.table.column. */
  readonly unnamed: readonly string[];
  /** Columns of a personal class that are allowed as they are. */
  readonly bare: readonly string[];
  /** The tenant's signed manifest; null where the file alone speaks. */
  readonly manifest: {
    /** Scopes of the key that signed it; empty for one without a signature. */
    readonly scopes: readonly string[];
    readonly approved: boolean;
  } | null;
}

const judgeBare = ({ tenant, bare, manifest }: PersonalFact): Judged | null => {
  if (bare.length === 0) return null;
  const what = `${tenant} sends ${bare.join(', ')} as it is`;
  if (!manifest) return fail('allow-without-manifest', `${what}, and no signed manifest says so`);
  if (!manifest.scopes.includes(PII_SCOPE))
    return fail(
      'allow-without-scope',
      `${what}, and the key that signed its manifest has no scope ${PII_SCOPE}`,
    );
  if (!manifest.approved) return fail('allow-without-approval', `${what}, and its manifest is not approved`);
  return null;
};

export const personalData: PolicyGate = {
  id: 'P1',
  name: 'personal data',
  branches: [
    'unknown',
    'unnamed-column',
    'allow-without-manifest',
    'allow-without-scope',
    'allow-without-approval',
    'no-rules',
    'named',
  ],
  decide(_intent, { personal }) {
    if (!personal) return unknown('which columns are sent');
    for (const { tenant, ruled, unnamed } of personal)
      if (ruled && unnamed.length > 0)
        return fail(
          'unnamed-column',
          `${tenant} has column rules, and none names ${unnamed.slice(0, MOST_NAMES).join(', ')}`,
        );
    for (const tenant of personal) {
      const refused = judgeBare(tenant);
      if (refused) return refused;
    }
    const ruled = personal.filter((tenant) => tenant.ruled).length;
    const free = personal.length - ruled;
    if (ruled === 0) return pass('no-rules', 'no column rules');
    const rest = free > 0 ? `; ${count(free, 'tenant')} without column rules` : '';
    return pass('named', `every column in scope of ${count(ruled, 'tenant')} with rules is named${rest}`);
  },
};

/** More say nothing new in one line of a table. */
const MOST_NAMES = 8;
