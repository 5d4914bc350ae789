/**
 * Runs a plan: each step is journalled as started, run, verified and journalled as done. Streams run side by side, and
 * one that fails leaves the others alone; within a stream a step waits for those that it depends on.
 */

import { isXcError, XcError } from '../errors/xc-error.ts';
import type { Plan, Step } from '../plan/plan.ts';
import { subjectOf } from '../plan/step-subject.ts';
import type { Clock } from '../time/clock.ts';
import { isoTime } from '../time/clock.ts';
import type { StreamKey } from '../topology/link.ts';
import type { Finding } from '../validation/finding.ts';
import type { Journal, JournalEntry, JournalError, JournalEvent, StepResult } from './journal.ts';
import { runnerOf, type StepRunners } from './step-runner.ts';

/** Told as steps come and go: metrics and narration listen. */
export interface StepObserver {
  started?(step: Step): void;
  done?(step: Step, durationMs: number, result: StepResult): void;
  failed?(step: Step, durationMs: number, error: XcError): void;
}

export interface ExecutorPorts {
  readonly runners: StepRunners;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly observer?: StepObserver;
}

export interface Execution {
  readonly errors: readonly JournalError[];
  readonly findings: readonly Finding[];
  /** Steps that were not done: failed, interrupted, or waiting for one that was. */
  readonly open: readonly string[];
  readonly finishedStreams: readonly StreamKey[];
}

/** Copies of different tables of one stream that run at the same time. */
const PARALLEL_COPIES = 1;

export class Executor {
  readonly #run: string;
  readonly #plan: string;
  readonly #ports: ExecutorPorts;
  readonly #attempts = new Map<string, number>();
  /** Appends one after the other, so that sequence numbers have no gaps even when one append fails. */
  #last: Promise<unknown> = Promise.resolve();
  #seq = 0;

  constructor(run: string, plan: string, ports: ExecutorPorts) {
    this.#run = run;
    this.#plan = plan;
    this.#ports = ports;
  }

  /** Runs all streams of the plan side by side. Errors of steps are in the result; only a journal that fails throws. */
  async execute(plan: Plan, signal: AbortSignal): Promise<Execution> {
    const streams = [...Map.groupBy(plan.steps, (step) => step.stream)];
    const parts = await Promise.allSettled(streams.map(([, steps]) => this.steps(steps, signal)));
    const executions = parts.map((part) => {
      if (part.status === 'rejected') throw part.reason;
      return part.value;
    });
    return {
      errors: executions.flatMap((part) => part.errors),
      findings: executions.flatMap((part) => part.findings),
      open: executions.flatMap((part) => part.open),
      finishedStreams: streams.flatMap(([key], at) => (executions[at]?.open.length === 0 ? [key] : [])),
    };
  }

  /** Runs steps of one stream in their order; after a failure or an abort no further step starts. */
  async steps(steps: readonly Step[], signal: AbortSignal): Promise<Omit<Execution, 'finishedStreams'>> {
    const waiting = [...steps];
    const known = new Set(steps.map((step) => step.id));
    const done = new Set<string>();
    const errors: JournalError[] = [];
    const findings: Finding[] = [];
    const ready = (step: Step): boolean => step.dependsOn.every((id) => done.has(id) || !known.has(id));
    while (errors.length === 0 && !signal.aborted) {
      const wave = nextWave(waiting.filter(ready));
      if (wave.length === 0) break;
      const results = await Promise.all(wave.map((step) => this.step(step, signal)));
      for (const [at, result] of results.entries()) {
        const step = wave[at];
        if (!step) continue;
        findings.push(...result.findings);
        if (result.error) errors.push(result.error);
        if (!result.done) continue;
        done.add(step.id);
        waiting.splice(waiting.indexOf(step), 1);
      }
    }
    return { errors, findings, open: waiting.map((step) => step.id) };
  }

  async step(
    step: Step,
    signal: AbortSignal,
  ): Promise<{ done: boolean; findings: readonly Finding[]; error?: JournalError; result?: StepResult }> {
    const { clock, observer } = this.#ports;
    const runner = runnerOf(this.#ports.runners, step);
    const startedMs = clock.nowMs();
    await this.record(step, 'started');
    observer?.started?.(step);
    try {
      const result = await runner.run(step, signal);
      const findings = await runner.verify(step, result);
      await this.record(step, 'done', { result, findings });
      observer?.done?.(step, clock.nowMs() - startedMs, result);
      return { done: true, findings, result };
    } catch (error) {
      if (isXcError(error, 'XC-6002') && error === this.#journalError) throw error;
      if (signal.aborted) {
        await this.record(step, 'interrupted');
        return { done: false, findings: [] };
      }
      const failure = asXcError(error);
      await this.record(step, 'failed', { error: journalError(failure) });
      observer?.failed?.(step, clock.nowMs() - startedMs, failure);
      return { done: false, findings: [], error: journalError(failure) };
    }
  }

  #journalError: unknown;

  /** Writes one entry, durable when this resolves. @throws XcError XC-6002 */
  async record(
    step: Step,
    event: JournalEvent,
    more: Pick<JournalEntry, 'result' | 'findings' | 'error'> = {},
  ): Promise<void> {
    if (event === 'started') this.#attempts.set(step.id, (this.#attempts.get(step.id) ?? 0) + 1);
    const entry: JournalEntry = {
      schemaVersion: 1,
      seq: ++this.#seq,
      at: isoTime(this.#ports.clock.nowMs()),
      run: this.#run,
      plan: this.#plan,
      step: step.id,
      kind: step.kind,
      stream: step.stream,
      subject: subjectOf(step),
      event,
      attempt: this.#attempts.get(step.id) ?? 1,
      ...more,
    };
    const append = this.#last.then(() => this.#ports.journal.append(entry));
    this.#last = append.catch((error: unknown) => {
      this.#journalError = error;
      throw error;
    });
    this.#last.catch(() => {});
    await this.#last;
  }
}

/** The first step that is ready, and where that is a copy, further copies beside it. */
const nextWave = (ready: readonly Step[]): readonly Step[] => {
  const [first] = ready;
  if (!first) return [];
  if (first.kind !== 'copy-table') return [first];
  return ready
    .filter((step) => step.kind === 'copy-table' && step.slot === first.slot)
    .slice(0, PARALLEL_COPIES);
};

export const asXcError = (error: unknown): XcError =>
  error instanceof XcError
    ? error
    : new XcError('XC-9001', {
        why: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
        cause: error,
      });

export const journalError = (error: XcError): JournalError => ({
  code: error.code,
  message: error.message,
  next: error.next,
});
