/** All scenarios, in the order of PostgreSQL's files. */

import { choices } from './choices.ts';
import { rows } from './rows.ts';
import type { Scenario } from './scenario.ts';
import { transactions } from './transactions.ts';

export const scenarios: readonly Scenario[] = [...rows, ...transactions, ...choices];
