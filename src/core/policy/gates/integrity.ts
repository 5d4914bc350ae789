/** P7: snapshots, rebuilds and promotions verify sha256 before they count. */

import { blocked, count, fail, pass, unknown, type Intent, type PolicyGate } from './gate.ts';

export interface IntegrityFact {
  /** A table, a chunk, a manifest. */
  readonly subject: string;
  /** `planned`: compared before the run ends; `none`: by nobody's wish. */
  readonly sha256: 'verified' | 'mismatch' | 'planned' | 'none';
}

/** These count only when everything in them was verified. */
const STRICT: ReadonlySet<Intent['kind']> = new Set(['snapshot', 'rebuild', 'promotion']);

export const integrity: PolicyGate = {
  id: 'P7',
  name: 'integrity',
  branches: ['unknown', 'nothing', 'mismatch', 'unverified', 'verified', 'planned'],
  decide({ kind }, { integrity: facts }) {
    if (!facts) return unknown('what was verified');
    if (facts.length === 0) return pass('nothing', 'nothing in it is to be verified');
    const of = (state: IntegrityFact['sha256']): readonly IntegrityFact[] =>
      facts.filter(({ sha256 }) => sha256 === state);
    const [wrong, none, planned] = [of('mismatch'), of('none'), of('planned')];
    if (wrong.length > 0)
      return fail('mismatch', `${wrong.map(({ subject }) => subject).join(', ')}: the checksums differ`);
    const open = [...none, ...planned];
    if (STRICT.has(kind) && open.length > 0)
      return blocked('unverified', `${count(open.length, 'part')} of ${facts.length} not verified yet`);
    if (open.length === 0) return pass('verified', `${count(facts.length, 'part')} verified by checksum`);
    const off = none.length > 0 ? `; ${count(none.length, 'link')} by its rule not (verify: off)` : '';
    return pass(
      'planned',
      `no snapshot, rebuild or promotion; ${count(facts.length - none.length, 'link')} compared by checksum at the end${off}`,
    );
  },
};
