/** What a plan holds of one stream. */

import type { Finding, Step } from './plan.ts';
import type { Carried } from './publication.ts';

export interface StreamPlan {
  readonly steps: readonly Step[];
  readonly findings: readonly Finding[];
  readonly carried: Carried;
}
