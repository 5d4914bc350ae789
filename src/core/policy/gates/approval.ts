/**
 * P3: in production, promotions, demotions, conflict overrides and whatever destroys need approvals by n of m keys, each
 * other than the requester's, not expired, and given for this and nothing else.
 */

import type { XcCode } from '../../errors/xc-error.ts';
import { count, fail, pass, unknown, type Intent, type PolicyGate } from './gate.ts';

/** One approval whose signature holds. */
export interface Approval {
  readonly keyId: string;
  /** Name of the key under signing.publicKeys; null for one that is not trusted to approve. */
  readonly name: string | null;
  /** "sha256:…" of what was approved. */
  readonly digest: string;
  readonly approvedAtMs: number;
  readonly expiresAtMs: number;
}

export interface ApprovalFacts {
  /** n; null where the configuration does not say. */
  readonly required: number | null;
  /** m: keys that may approve. */
  readonly keys: number;
  /** How long an approval is good for, whatever it says itself; undefined where only its own word counts. */
  readonly validForMs?: number | undefined;
  /** Key of whoever asked, as its signature proves; null where nothing proves it. */
  readonly requester: string | null;
  readonly given: readonly Approval[];
}

export interface RefusedApproval {
  readonly code: XcCode;
  readonly why: string;
}

/** Clocks of two people's machines differ by less, or one of them is wrong. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/** Null where the approval counts. */
export const refuseApproval = (
  { keyId, name, digest, approvedAtMs, expiresAtMs }: Approval,
  wanted: Pick<Intent, 'digest' | 'nowMs'> & Pick<ApprovalFacts, 'requester' | 'validForMs'>,
): RefusedApproval | null => {
  if (name === null)
    return { code: 'XC-3032', why: `key ${keyId} is not among those that signing.publicKeys lets approve` };
  if (digest !== wanted.digest)
    return {
      code: 'XC-3033',
      why: `${name} approved ${digest}, and this is ${wanted.digest ?? 'nothing yet'}`,
    };
  if (keyId === wanted.requester) return { code: 'XC-3034', why: `${name} is whoever asked for it` };
  if (approvedAtMs > wanted.nowMs + CLOCK_TOLERANCE_MS)
    return {
      code: 'XC-3036',
      why: `${name} approved it ${Math.round((approvedAtMs - wanted.nowMs) / 1000)} s from now: one of two clocks is wrong`,
    };
  // Whoever approves cannot make it last longer than whoever runs it allows.
  const endsMs = Math.min(expiresAtMs, approvedAtMs + (wanted.validForMs ?? Infinity));
  if (endsMs <= wanted.nowMs) return { code: 'XC-3035', why: `the approval of ${name} has expired` };
  return null;
};

/** Distinct keys whose approvals count, and why the others do not. */
export const countApprovals = (
  intent: Intent,
  { given, requester, validForMs }: ApprovalFacts,
): { readonly names: readonly string[]; readonly refused: readonly RefusedApproval[] } => {
  const names = new Map<string, string>();
  const refused: RefusedApproval[] = [];
  for (const approval of given) {
    const why = refuseApproval(approval, { ...intent, requester, validForMs });
    if (why) refused.push(why);
    else names.set(approval.keyId, approval.name ?? approval.keyId);
  }
  return { names: [...names.values()].toSorted(), refused };
};

const ALWAYS: ReadonlySet<Intent['kind']> = new Set(['promotion', 'demotion', 'conflict-override']);

/** What of an intent needs approval, in words; null where nothing does. */
export const needsApproval = ({ kind, environment, destroys }: Intent): string | null => {
  if (environment !== 'production') return null;
  if (destroys.length > 0) return destroys.join('; ');
  return ALWAYS.has(kind) ? `a ${kind}` : null;
};

export const approval: PolicyGate = {
  id: 'P3',
  name: 'approval',
  branches: [
    'unknown',
    'not-production',
    'not-needed',
    'not-configured',
    'missing',
    'requester-unknown',
    'approved',
  ],
  decide(intent, { approval: facts }) {
    const needed = needsApproval(intent);
    if (needed === null)
      return intent.environment === 'production'
        ? pass('not-needed', 'nothing in it destroys, promotes, demotes or overrides')
        : pass('not-production', `asked for in production alone; this is ${intent.environment}`);
    if (!facts) return unknown(`whether it is approved (${needed})`);
    if (facts.required === null)
      return fail(
        'not-configured',
        `${needed}: this needs approvals, and signing.approvals names no number of them (environment says whether this is production)`,
      );
    const { names, refused } = countApprovals(intent, facts);
    const wanted = `${count(facts.required, 'approval')} of ${count(facts.keys, 'key')}`;
    if (names.length < facts.required) {
      const why = refused.map((one) => `; ${one.why}`).join('');
      return fail('missing', `${needed}: ${wanted} are needed, ${names.length} given${why}`);
    }
    if (facts.requester === null)
      return fail('requester-unknown', `${needed}: nothing proves who asked for it`);
    return pass('approved', `${needed}: approved by ${names.join(', ')}`);
  },
};
