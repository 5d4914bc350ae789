/** P4: whatever runs for long serves /health and /metrics. */

import { fail, pass, unknown, type PolicyGate } from './gate.ts';

export interface ObservabilityFacts {
  /** Whether it runs until it is told to stop. */
  readonly longRunning: boolean;
  /** Where it serves both; null where it does not. */
  readonly servedAt: string | null;
}

export const observability: PolicyGate = {
  id: 'P4',
  name: 'observability',
  branches: ['unknown', 'ends', 'served', 'not-served'],
  decide(_intent, { observability: facts }) {
    if (!facts) return unknown('whether it can be observed');
    if (!facts.longRunning)
      return pass(
        'ends',
        'it ends by itself, and its report says what was measured; --follow serves /metrics',
      );
    return facts.servedAt === null
      ? fail('not-served', 'it runs until it is stopped, and serves neither /health nor /metrics')
      : pass('served', `/health and /metrics on ${facts.servedAt}`);
  },
};
