/** Residency stands in front of every exit: nothing personal of a tenant leaves the zones that it names. */

import { judgeResidency, type Flow } from '../residency.ts';
import { count, fail, pass, unknown, type PolicyGate } from './gate.ts';

export const EXITS = [
  'stream',
  'snapshot',
  'object',
  'conflict-record',
  'quarantine',
  'report',
  'evidence',
] as const;

/** One way out of a region: what would be sent, where to, and through which exit. */
export interface FlowFact extends Flow {
  readonly exit?: (typeof EXITS)[number] | undefined;
}

export const residencyGate: PolicyGate = {
  id: 'residency',
  name: 'residency',
  branches: ['unknown', 'refused', 'within'],
  decide(_intent, { flows }) {
    if (!flows) return unknown('what would leave a region');
    let redacted = 0;
    let free = 0;
    for (const flow of flows) {
      const verdict = judgeResidency(flow);
      if (!verdict.allowed) {
        const bare = verdict.columns.length > 0 ? `: ${verdict.columns.join(', ')}` : '';
        return fail('refused', `${verdict.reason}${bare}`);
      }
      if (!flow.residency) free++;
      else if (!flow.residency.zones.includes(flow.target.zone)) redacted++;
    }
    return pass(
      'within',
      [
        `${count(flows.length - redacted - free, 'link')} within the zones of their tenants`,
        ...(redacted > 0 ? [`${count(redacted, 'link')} outside, with everything personal redacted`] : []),
        ...(free > 0 ? [`${count(free, 'link')} of tenants that name no zones`] : []),
      ].join('; '),
    );
  },
};
