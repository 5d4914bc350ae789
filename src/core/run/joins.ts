/** Brings a followed stream to what is wanted, whenever the configuration or the links' states change. */

import type { Plan, Step } from '../plan/plan.ts';
import { slotName, type LinkId, type StreamKey } from '../topology/link.ts';
import { asXcError, journalError } from './executor.ts';
import type { FollowPorts } from './follow.ts';
import type { JournalError, StepResult } from './journal.ts';
import type { MainStream } from './main-stream.ts';

/** What failed is tried again after this, doubled each time up to the limit. */
const RETRY_MS = 5_000;
const RETRY_LIMIT_MS = 300_000;

/** Thrown through the steps of one attempt by a step that failed and was journalled. */
class StepFailure extends Error {
  readonly failure: JournalError;
  constructor(failure: JournalError) {
    super(failure.message);
    this.failure = failure;
  }
}

export class Joins {
  /** Of the newest attempt; null when it succeeded. */
  error: JournalError | null = null;
  readonly #own: string;
  readonly #ports: FollowPorts;
  readonly #main: MainStream;
  readonly #signal: AbortSignal;
  readonly #dropped = new Set<LinkId>();
  /** Copying and catching up of joining links, beside the main stream and the watching. */
  #joining: Promise<void> | null = null;
  #plans = 0;
  #seen: string | null = null;
  /** The watch itself failed when it was last asked. */
  #unread = false;
  #retry: { readonly atMs: number; readonly afterMs: number } | null = null;

  constructor(stream: StreamKey, ports: FollowPorts, main: MainStream, signal: AbortSignal) {
    this.#own = slotName(stream);
    this.#ports = ports;
    this.#main = main;
    this.#signal = signal;
  }

  /** @returns true when the stream has no link left */
  async look(): Promise<boolean> {
    const { clock, watch } = this.#ports;
    if (this.#unread && this.#retry !== null && clock.nowMs() < this.#retry.atMs) return false;
    this.#unread = true;
    try {
      const state = await watch.state();
      this.#unread = false;
      const due = this.#retry !== null && clock.nowMs() >= this.#retry.atMs && !this.#joining;
      if (state === this.#seen && !due) return false;
      this.#seen = state;
      if (await this.#drop(await watch.dropping())) return true;
      const plan = named(await this.#ports.plan(this.#dropped), ++this.#plans);
      await this.#takeOff(plan);
      this.#join(plan);
    } catch (error) {
      this.#failed(error);
    }
    return false;
  }

  /** Waits for what runs beside the main stream, which the aborted signal ends. */
  async settle(): Promise<void> {
    await this.#joining;
  }

  async #drop(links: readonly LinkId[]): Promise<boolean> {
    if (links.length === 0) return false;
    let emptied = false;
    await this.#main.whileStopped(async () => {
      for (const link of links) {
        this.#dropped.add(link);
        const removed = await this.#ports.engine.dropLink(link);
        emptied ||= removed.some((what) => what.includes(this.#own));
      }
      return emptied ? 'end' : 'go on';
    });
    return emptied;
  }

  /** What must no longer leave the source is taken off at once, whatever else is under way. */
  async #takeOff({ steps }: Plan): Promise<void> {
    for (const step of steps) if (step.kind === 'publish-tables') await this.#run(step);
    const leaving = steps.filter((step) => step.kind === 'remove-links');
    if (leaving.length > 0) await this.#quietly(leaving);
  }

  #join({ steps }: Plan): void {
    const rest = steps.filter(
      (step) =>
        step.kind !== 'publish-tables' &&
        step.kind !== 'remove-links' &&
        !(step.kind === 'stream-changes' && step.slot === this.#own),
    );
    if (this.#joining) return;
    if (rest.every((step) => step.kind === 'verify')) return this.#succeeded();
    this.#joining = this.#joinBeside(rest);
  }

  async #joinBeside(steps: readonly Step[]): Promise<void> {
    try {
      const errored = await this.#joinSteps(steps);
      if (errored.length > 0) return this.#stillErrored(errored);
      this.#succeeded();
      // What came while this was under way was seen, but not begun: look at it again.
      this.#seen = null;
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#joining = null;
    }
  }

  /** @returns links that an error holds: their slots are left as they are, and nothing waits for them */
  async #joinSteps(steps: readonly Step[]): Promise<readonly LinkId[]> {
    const standing = (step: Step): boolean =>
      step.kind === 'merge-links' ||
      step.kind === 'verify' ||
      (step.kind === 'copy-table' && step.slot === this.#own);
    const errored: LinkId[] = [];
    const held = new Set<string>();
    for (const step of steps) {
      if (standing(step)) continue;
      const links = erroredIn(await this.#run(step));
      if (links.length > 0 && step.kind === 'stream-changes') held.add(step.slot);
      errored.push(...links);
    }
    const quiet = steps.filter(
      (step) => standing(step) && !(step.kind === 'merge-links' && held.has(step.slot)),
    );
    if (quiet.some((step) => step.kind !== 'verify')) await this.#quietly(quiet);
    return errored;
  }

  async #quietly(steps: readonly Step[]): Promise<void> {
    await this.#main.whileStopped(async () => {
      for (const step of steps) await this.#run(step);
      return 'go on';
    });
  }

  async #run(step: Step): Promise<StepResult> {
    const { done, error, result } = await this.#ports.step(step, this.#signal);
    if (error) throw new StepFailure(error);
    if (!done) this.#signal.throwIfAborted();
    return result ?? {};
  }

  #succeeded(): void {
    this.error = null;
    this.#retry = null;
  }

  /** They stay as they are, at the price of no other link, until they are tried again. */
  #stillErrored(links: readonly LinkId[]): void {
    this.error = null;
    const afterMs = this.#later();
    this.#ports.warn(`still errored: ${links.join(', ')}; tried again in ${afterMs / 1000} s`);
  }

  #later(): number {
    const afterMs = this.#retry ? Math.min(this.#retry.afterMs * 2, RETRY_LIMIT_MS) : RETRY_MS;
    this.#retry = { atMs: this.#ports.clock.nowMs() + afterMs, afterMs };
    return afterMs;
  }

  /** A change that cannot be carried out leaves the stream as it was: the other tenants' changes go on. */
  #failed(error: unknown): void {
    if (this.#signal.aborted) return;
    this.error = error instanceof StepFailure ? error.failure : journalError(asXcError(error));
    const afterMs = this.#later();
    this.#ports.warn(
      `${this.error.code} ${this.error.message}: the stream goes on as it was; tried again in ${afterMs / 1000} s`,
    );
  }
}

const erroredIn = ({ errored }: StepResult): readonly LinkId[] =>
  Array.isArray(errored) ? errored.filter((link): link is LinkId => typeof link === 'string') : [];

/** Ids of later plans' steps are told from those of the run's own plan: "f2.s1". */
const named = (plan: Plan, number: number): Plan => {
  const rename = (id: string): string => `f${number}.${id}`;
  return {
    ...plan,
    steps: plan.steps.map((step) => ({
      ...step,
      id: rename(step.id),
      dependsOn: step.dependsOn.map(rename),
    })),
  };
};
