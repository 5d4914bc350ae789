/** XC-3xxx: plans and approvals. Exit 8. */

import type { CodeEntry } from '../catalogue.ts';

export const planCodes = {
  'XC-3001': {
    title: 'plan is stale',
    means: 'What the plan was made from has changed since: a role, an epoch, a schema, a rule or a slot.',
    next: 'make a new plan with xcrepl replication simulate and review it',
  },
} as const satisfies Record<string, CodeEntry>;
