/** XC-2xxx: policy and safety gates. Exit 7. */

import type { CodeEntry } from '../catalogue.ts';

export const policyCodes = {
  'XC-2001': {
    title: 'column without a rule',
    means:
      'A tenant with column rules is default-deny (gate P1): a column that no rule names stops the plan or the stream before any of its bytes leave the region.',
    next: 'name the column under tenants.<tenant>.columns with allow, hash, mask or drop',
  },
} as const satisfies Record<string, CodeEntry>;
