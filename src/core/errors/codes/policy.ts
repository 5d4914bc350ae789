/** XC-2xxx: policy and safety gates. Exit 7. */

import type { CodeEntry } from '../catalogue.ts';

export const policyCodes = {
  'XC-2001': {
    title: 'column without a rule',
    means:
      'A tenant with column rules is default-deny (gate P1): a column that no rule names stops the plan or the stream before any of its bytes leave the region.',
    next: 'name the column under tenants.<tenant>.columns with allow, hash, mask or drop',
  },
  'XC-2002': {
    title: 'column rule does not fit the column',
    means:
      'hash and mask give text, so they fit text, varchar, char and citext columns and domains over them; a hash needs room for at least 32 characters.',
    next: 'set the rule to drop or allow, or widen the column on both sides',
  },
  'XC-2003': {
    title: 'column rule would lose the key',
    means:
      'A column of the primary key or replica identity that is dropped or masked makes different rows the same on the target, where changes could then no longer find their row.',
    next: 'set the rule of the key column to allow, or to hash where it is of a text type',
  },
  'XC-2004': {
    title: 'tenant column must be allowed',
    means:
      'The column that tells tenants apart is compared with the tenant’s value on both sides. Hashed, masked or dropped, the rows of the tenant could not be found on the target.',
    next: 'set the rule of the tenant column to allow',
  },
  'XC-2005': {
    title: 'hash key is missing or too short',
    means:
      'A hash rule names a key that hashKeys does not hold, or whose secret has fewer than 16 bytes and could be guessed.',
    next: 'give the key under hashKeys a reference to a random secret of at least 16 bytes',
  },
} as const satisfies Record<string, CodeEntry>;
