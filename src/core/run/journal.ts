/**
 * The journal of a run: one entry before and one after each step, each durable before the next thing happens. It is
 * history: what decides where a run goes on is in the target database.
 */

import type { XcCode } from '../errors/xc-error.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { StreamKey } from '../topology/link.ts';
import type { Finding } from '../validation/finding.ts';

export type JournalEvent = 'started' | 'done' | 'failed' | 'undone' | 'interrupted';

/** What a step says of its effect: JSON values only, positions as "0/1A2B". */
export type StepResult = Readonly<Record<string, unknown>>;

export interface JournalEntry {
  readonly schemaVersion: 1;
  /** From 1 in each run, without gaps. */
  readonly seq: number;
  readonly at: string;
  readonly run: string;
  readonly plan: string;
  readonly step: string;
  readonly kind: Step['kind'];
  readonly stream: StreamKey;
  /** What the step works on, in a few words. */
  readonly subject: string;
  readonly event: JournalEvent;
  /** From 1; how often this step was started in this run. */
  readonly attempt: number;
  readonly result?: StepResult;
  readonly findings?: readonly Finding[];
  readonly error?: JournalError;
}

export interface JournalError {
  readonly code: XcCode;
  readonly message: string;
  readonly next: string;
}

export interface Journal {
  /** Resolves once the entry is durable. @throws XcError XC-6002 */
  append(entry: JournalEntry): Promise<void>;
}

export interface StoredRun {
  readonly run: string;
  readonly plan: Plan;
  readonly entries: readonly JournalEntry[];
}

/** Where plans and journals are kept. */
export interface RunStore {
  savePlan(plan: Plan): Promise<void>;
  /** Opens a journal for the run, with its plan beside it. */
  begin(run: string, plan: Plan): Promise<Journal>;
  /** Null when there is no such run. @throws XcError XC-3012 when a newer version wrote it */
  read(run: string): Promise<StoredRun | null>;
  /** Newest first. */
  runs(): Promise<readonly string[]>;
}

/** A run is unfinished while some step of its plan is not done. */
export const isUnfinished = ({ plan, entries }: StoredRun): boolean => {
  const done = new Set(entries.filter((entry) => entry.event === 'done').map((entry) => entry.step));
  return plan.steps.some((step) => !done.has(step.id));
};
