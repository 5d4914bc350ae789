/** Brings a followed stream to what is wanted, whenever the configuration or the links' states change. */

import type { Plan, RemoveLinks, RemoveTables, SplitLinks, Step } from '../plan/plan.ts';
import { slotName, type LinkId, type StreamKey } from '../topology/link.ts';
import { isOfTables } from '../plan/table-findings.ts';
import { asXcError, journalError } from './executor.ts';
import type { FollowPorts } from './follow-ports.ts';
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
  #joining: {
    readonly ended: Promise<void>;
    readonly links: readonly LinkId[];
    readonly stop: AbortController;
  } | null = null;
  /** Something changed while links were joining. */
  #missed = false;
  /** Findings of the newest plan. */
  #told: ReadonlySet<string> = new Set();
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
      this.#tell(plan);
      if (await this.#takeOff(plan)) return true;
      this.#join(plan);
    } catch (error) {
      this.#failed(error);
    }
    return false;
  }

  /** What a plan leaves out or takes away is said when it begins; the report has it only of the run's own plan. */
  #tell({ findings }: Plan): void {
    const now = new Set<string>();
    for (const { code, subject, seen, remedy } of findings.filter(isOfTables)) {
      const text = [`${code} ${subject}: ${seen}`, ...(remedy === undefined ? [] : [remedy])].join('\n');
      now.add(text);
      if (!this.#told.has(text)) this.#ports.warn(text);
    }
    this.#told = now;
  }

  /** Waits for what runs beside the main stream, which the aborted signal ends. */
  async settle(): Promise<void> {
    await this.#joining?.ended;
  }

  async #drop(links: readonly LinkId[]): Promise<boolean> {
    if (links.length === 0) return false;
    await this.#interrupt(links);
    let emptied = false;
    await this.#main.whileStopped(async () => {
      for (const link of links) {
        this.#dropped.add(link);
        const removed = await this.#ports.engine.dropLink(link);
        emptied ||= this.#isOwnSlot(removed);
      }
      return emptied ? 'end' : 'go on';
    });
    return emptied;
  }

  /** What must no longer leave the source is taken off at once, whatever else is under way. */
  async #takeOff({ steps }: Plan): Promise<boolean> {
    for (const step of steps) if (step.kind === 'publish-tables') await this.#run(step);
    const leaving = steps.filter(isTakingOff);
    if (leaving.length === 0) return false;
    await this.#interrupt(leaving.flatMap(linksOf));
    const removed: unknown[] = [];
    await this.#main.whileStopped(async () => {
      for (const step of leaving) removed.push((await this.#run(step))['removed']);
      return this.#isOwnSlot(removed) ? 'end' : 'go on';
    });
    return this.#isOwnSlot(removed);
  }

  /** What goes on beside the main stream for links that are to be taken off ends at a batch boundary; the rest is planned again. */
  async #interrupt(links: readonly LinkId[]): Promise<void> {
    const joining = this.#joining;
    if (!joining?.links.some((link) => links.includes(link))) return;
    joining.stop.abort(new DOMException('links of it are taken off', 'AbortError'));
    await joining.ended;
  }

  #join({ steps }: Plan): void {
    const rest = steps.filter(
      (step) =>
        step.kind !== 'publish-tables' &&
        !isTakingOff(step) &&
        !(step.kind === 'stream-changes' && step.slot === this.#own),
    );
    if (this.#joining) {
      this.#missed = true;
      return;
    }
    if (rest.every((step) => step.kind === 'verify')) return this.#succeeded();
    const stop = new AbortController();
    const links = rest.flatMap((step) => ('links' in step ? step.links : []));
    this.#joining = { ended: this.#joinBeside(rest, stop.signal), links, stop };
  }

  async #joinBeside(steps: readonly Step[], stop: AbortSignal): Promise<void> {
    try {
      const errored: LinkId[] = [];
      const signal = AbortSignal.any([this.#signal, stop]);
      for (const group of inTurn(steps)) errored.push(...(await this.#joinSteps(group, signal)));
      if (errored.length > 0) return this.#stillErrored(errored);
      this.#succeeded();
      this.#missed = true;
    } catch (error) {
      if (stop.aborted) this.#missed = true;
      else this.#failed(error);
    } finally {
      this.#joining = null;
      // What came while this was under way was seen, but not begun: look at it again.
      if (this.#missed) this.#seen = null;
      this.#missed = false;
    }
  }

  /** @returns links that an error holds: their slots are left as they are, and nothing waits for them */
  async #joinSteps(steps: readonly Step[], signal: AbortSignal): Promise<readonly LinkId[]> {
    const standing = (step: Step): boolean =>
      step.kind === 'merge-links' ||
      step.kind === 'verify' ||
      (step.kind === 'copy-table' && step.slot === this.#own);
    const errored: LinkId[] = [];
    const held = new Set<string>();
    for (const step of steps) {
      if (standing(step)) continue;
      const links = erroredIn(await this.#run(step, signal));
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

  /** Whether the stream's own slot is among what was removed, as in "slot NAME on REGION". */
  #isOwnSlot(removed: readonly unknown[]): boolean {
    return removed.flat().some((what) => typeof what === 'string' && what.startsWith(`slot ${this.#own} `));
  }

  async #run(step: Step, signal = this.#signal): Promise<StepResult> {
    signal.throwIfAborted();
    const { done, error, result } = await this.#ports.step(step, signal);
    if (error) throw new StepFailure(error);
    if (!done) signal.throwIfAborted();
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

/** Tables that only begin to join come last: one that cannot begin holds up nothing that can end. */
const inTurn = (steps: readonly Step[]): Step[][] => {
  const coming = new Set(
    steps.flatMap((step) => (step.kind === 'create-slot' && step.tables ? [step.slot] : [])),
  );
  const isComing = (step: Step): boolean => 'slot' in step && coming.has(step.slot);
  return [steps.filter((step) => !isComing(step)), steps.filter(isComing)];
};

const erroredIn = ({ errored }: StepResult): readonly LinkId[] =>
  Array.isArray(errored) ? errored.filter((link): link is LinkId => typeof link === 'string') : [];

/** What makes links leave the slot that they are on. */
const isTakingOff = (step: Step): step is RemoveLinks | RemoveTables | SplitLinks =>
  step.kind === 'remove-links' || step.kind === 'remove-tables' || step.kind === 'split-links';

const linksOf = (step: RemoveLinks | RemoveTables | SplitLinks): readonly LinkId[] =>
  step.kind === 'remove-tables' ? step.tables.flatMap(({ links }) => links) : step.links;

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
