/** A gate that does not pass stops what it judged: FAIL always, BLOCKED in all but simulation. */

import { XcError, type XcCode } from '../errors/xc-error.ts';
import { countApprovals, needsApproval, type ApprovalFacts } from '../policy/gates/approval.ts';
import type { Intent } from '../policy/gates/gate.ts';
import type { GateRow } from '../policy/gates/table.ts';

const CODES: Readonly<Record<GateRow['gate'], XcCode>> = {
  P1: 'XC-2033',
  P2: 'XC-2034',
  P3: 'XC-3030',
  P4: 'XC-2035',
  P5: 'XC-2036',
  P6: 'XC-2037',
  P7: 'XC-2038',
  residency: 'XC-2032',
};

export const isStopped = ({ verdict, simulated }: GateRow): boolean =>
  verdict === 'FAIL' || (verdict === 'BLOCKED' && !simulated);

/**
 * @param except gates that something else enforces: P6 slows and pauses where the bytes flow, and approvals (P3) of a
 * plan come after it is made
 * @throws XcError the code of the first gate that stops it, with all such rows among its facts
 */
export const refuseGates = (
  rows: readonly GateRow[],
  subject: string,
  except: readonly GateRow['gate'][] = [],
): void => {
  const stopped = rows.filter((row) => isStopped(row) && !except.includes(row.gate));
  const [first] = stopped;
  if (!first) return;
  throw new XcError(CODES[first.gate], {
    subject,
    why: stopped.map(({ gate, name, reason }) => `${gate} ${name}: ${reason}`).join('\n'),
    facts: { gates: stopped },
  });
};

/**
 * Where every approval is refused, the first one's own reason is what helps.
 * @throws XcError XC-3032 to XC-3037
 */
export const refuseOnlyApproval = (intent: Intent, facts: ApprovalFacts): void => {
  if (needsApproval(intent) === null || facts.required === null) return;
  const { names, refused } = countApprovals(intent, facts);
  const { subject } = intent;
  const [first] = refused;
  if (first && names.length < facts.required)
    throw new XcError(first.code, { subject, why: refused.map(({ why }) => why).join('; ') });
  if (names.length >= facts.required && facts.requester === null) throw new XcError('XC-3037', { subject });
};
