/** The port of a step's owner, and the registry in which the composition root puts them by kind. */

import type { Step } from '../plan/plan.ts';
import type { Finding } from '../validation/finding.ts';
import type { StepResult } from './journal.ts';

export interface StepRunner<S extends Step> {
  /** Idempotent: running it again is a no-op. An aborted signal ends it at the next durable point, by a throw. */
  run(step: S, signal: AbortSignal): Promise<StepResult>;
  verify(step: S, result: StepResult): Promise<readonly Finding[]>;
  undo?(step: S): Promise<void>;
}

export type StepRunners = { readonly [K in Step['kind']]: StepRunner<Extract<Step, { kind: K }>> };

export const runnerOf = (runners: StepRunners, step: Step): StepRunner<Step> => runners[step.kind];
