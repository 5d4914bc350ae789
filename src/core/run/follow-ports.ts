/** What following a stream needs from outside. */

import type { Plan, Step, StreamChanges } from '../plan/plan.ts';
import type { StreamEngine } from '../replication/engine.ts';
import type { Clock } from '../time/clock.ts';
import type { LinkId } from '../topology/link.ts';
import type { JournalError, StepResult } from './journal.ts';

export interface FollowPorts {
  readonly engine: Pick<StreamEngine, 'streamChanges' | 'dropLink'>;
  readonly clock: Clock;
  readonly watch: FollowWatch;
  /** Gathers the facts of this stream again, and plans what is missing; without the links that were dropped here. */
  plan(without: ReadonlySet<LinkId>): Promise<Plan>;
  /** Runs one step, journalled. */
  step(
    step: Step,
    signal: AbortSignal,
  ): Promise<{ readonly done: boolean; readonly error?: JournalError; readonly result?: StepResult }>;
  /** Journals that the main stream started, and where it ended. */
  streaming(
    step: StreamChanges,
    ended: Awaited<ReturnType<StreamEngine['streamChanges']>> | null,
  ): Promise<void>;
  warn(text: string): void;
}

/** What decides about a stream and can change while it runs. */
export interface FollowWatch {
  /** Of the configuration and the stream's link states, as text: equal texts mean that nothing changed. */
  state(): Promise<string>;
  /** Links in state `dropping`: an operator asks for their end. */
  dropping(): Promise<readonly LinkId[]>;
}
