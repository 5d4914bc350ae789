/**
 * What replication must never do wrong, each with the tests that fail where it does. docs/correctness.md is made from this;
 * a test of the house looks that each of them is there.
 */

import { applying } from './rules-applying.ts';
import { copying } from './rules-copying.ts';
import type { Rule } from './rule.ts';

export const rules: readonly Rule[] = [...copying, ...applying];
