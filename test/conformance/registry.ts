/** All scenarios, in the order of PostgreSQL's files. */

import { choices } from './choices.ts';
import { identities } from './identities.ts';
import { rows } from './rows.ts';
import type { Scenario } from './scenario.ts';
import { targets } from './targets.ts';
import { transactions } from './transactions.ts';

const declared: readonly Scenario[] = [...rows, ...transactions, ...choices, ...identities, ...targets];

export const scenarios: readonly Scenario[] = declared.toSorted((a, b) =>
  a.source === b.source ? 0 : a.source < b.source ? -1 : 1,
);
