/**
 * One run from its locks to its end: takes the streams, plans on the facts that hold under the locks, executes, follows
 * where asked, and gives the streams back whatever happens.
 */

import { isXcError } from '../errors/xc-error.ts';
import { edgeOf, type ReplicationMetrics } from '../metrics/metrics.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { ErroredLink } from '../replication/engine.ts';
import type { LinkId, Stream, StreamKey } from '../topology/link.ts';
import { engineRunners, streamResult } from './engine-runners.ts';
import { asXcError, Executor, journalError, type StepObserver } from './executor.ts';
import { follow } from './follow.ts';
import type { FollowWatch } from './follow-ports.ts';
import type { JournalError, RunStore } from './journal.ts';
import { HeldEngines, type HeldEnginesPorts } from './held-engines.ts';
import { LagLimit } from './lag-limit.ts';
import { followStep } from './main-stream.ts';
import type { RunProgress } from './progress.ts';
import type { StandbyRequest } from './stand-by.ts';

export interface SessionPorts extends HeldEnginesPorts {
  readonly metrics: ReplicationMetrics;
  readonly progress: RunProgress;
  readonly store: RunStore;
  /** Gathers facts and plans. Called under the locks. */
  plan(): Promise<Plan>;
  /** The same for one stream while it is followed, without the links that were dropped meanwhile. */
  replan(stream: Stream, without: ReadonlySet<LinkId>): Promise<Plan>;
  watch(stream: Stream): FollowWatch;
  /** Narration for people. */
  readonly observer: StepObserver;
  warn(text: string): void;
}

export interface SessionRequest {
  readonly run: string;
  readonly streams: readonly Stream[];
  readonly follow: boolean;
  readonly maxDurationMs: number | null;
  readonly maxLagMs: number | null;
  /** Waits for another run of the streams to end, instead of ending itself. */
  readonly standby?: StandbyRequest | null;
}

export interface SessionEnd {
  /** Null when the run ended before there was a plan. */
  readonly plan: Plan | null;
  readonly errors: readonly JournalError[];
  readonly errored: readonly ErroredLink[];
  readonly interruption: unknown;
  readonly cutShort: boolean;
  readonly lagging: boolean;
}

const NOTHING: SessionEnd = {
  plan: null,
  errors: [],
  errored: [],
  interruption: undefined,
  cutShort: false,
  lagging: false,
};

export const runSession = async (
  request: SessionRequest,
  ports: SessionPorts,
  signal: AbortSignal,
): Promise<SessionEnd> => {
  const session = new Session(request, ports, signal);
  return await session.run();
};

class Session {
  readonly #request: SessionRequest;
  readonly #ports: SessionPorts;
  readonly #outer: AbortSignal;
  /** Ends the run in good order: --max-duration or --max-lag. */
  readonly #enough = new AbortController();
  readonly #engines: HeldEngines;
  /** Links whose slots were given up at the end of their stream's steps. */
  readonly #expired: ErroredLink[] = [];
  /** Resolves once the stream's planned steps have ended, in whichever way. */
  readonly #planned = new Map<StreamKey, PromiseWithResolvers<void>>();
  #lagging = false;
  /** Of streams that were given back before the run's end. */
  readonly #erroredBefore: ErroredLink[] = [];

  constructor(request: SessionRequest, ports: SessionPorts, outer: AbortSignal) {
    this.#request = request;
    this.#ports = ports;
    this.#engines = new HeldEngines(request.streams, ports);
    this.#outer = outer;
  }

  async run(): Promise<SessionEnd> {
    const signal = AbortSignal.any([this.#outer, this.#enough.signal]);
    const timer = this.#startTimer(signal);
    const stopListening = [this.#watchLag(), this.#watchRetained(), this.#watchWaiting()];
    try {
      if (!(await this.#acquire(signal))) return NOTHING;
      const plan = await this.#plan();
      const { errors, open } = await this.#execute(plan, signal);
      return {
        plan,
        errors,
        errored: [...this.#expired, ...this.#erroredBefore, ...(await this.#engines.erroredLinks())],
        interruption: this.#outer.aborted ? this.#outer.reason : undefined,
        cutShort: !this.#outer.aborted && this.#enough.signal.aborted && open,
        lagging: this.#lagging || this.#lagsAtEnd(),
      };
    } finally {
      for (const stop of stopListening) stop();
      this.#enough.abort(new DOMException('the run is over', 'AbortError'));
      await timer;
      await this.#engines.release();
    }
  }

  /** What a run sees that stood still may be another one's work: it says so, whatever that looks like. */
  async #plan(): Promise<Plan> {
    try {
      const plan = await this.#ports.plan();
      await this.#engines.confirm();
      return plan;
    } catch (error) {
      await this.#engines.confirm().catch((lost: unknown) => {
        if (isXcError(lost, 'XC-7010')) throw lost;
      });
      throw error;
    }
  }

  async #startTimer(signal: AbortSignal): Promise<void> {
    const { maxDurationMs } = this.#request;
    if (maxDurationMs === null) return;
    try {
      await this.#ports.clock.sleep(maxDurationMs, signal);
      this.#enough.abort(new DOMException('--max-duration is over', 'AbortError'));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  #watchLag(): () => void {
    const { maxLagMs, follow: following } = this.#request;
    if (maxLagMs === null || !following) return () => undefined;
    const limits = new Map<StreamKey, LagLimit>();
    const exceeded = (): void => {
      this.#lagging = true;
      this.#enough.abort(new DOMException('the lag is above --max-lag', 'AbortError'));
    };
    return this.#ports.progress.onApplied((stream, lagMs) => {
      const limit = limits.get(stream.key) ?? new LagLimit(maxLagMs, exceeded);
      limits.set(stream.key, limit);
      limit.applied(lagMs);
    });
  }

  /** An alarm is said when it begins, stands in /health while it lasts, and in the metrics all the time. */
  #watchRetained(): () => void {
    const { progress, health } = this.#ports;
    const alarmed = new Set<StreamKey>();
    return progress.onRetained(({ key }, { alarm }) => {
      health.alarm(key, alarm);
      if (alarm === null) alarmed.delete(key);
      else if (!alarmed.has(key)) {
        alarmed.add(key);
        this.#ports.warn(`stream ${key}: ${alarm}`);
      }
    });
  }

  /** A stream that waits for its target is not ready; restarting it would not help, so it is live. */
  #watchWaiting(): () => void {
    const { progress, health } = this.#ports;
    return progress.onWaiting(({ key }, error) =>
      health.set(key, error ? 'paused' : 'streaming', error?.code ?? null),
    );
  }

  /** @returns false when the run was to end before there was anything to do */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { standby } = this.#request;
    if (!standby) {
      await this.#engines.acquire();
      return true;
    }
    try {
      await this.#engines.acquireWhenFree(standby, signal);
      return true;
    } catch (error) {
      if (this.#outer.aborted || !signal.aborted || error !== signal.reason) throw error;
      return false;
    }
  }

  /** A stream that failed stands: what mends it needs its lock, while the others of this run go on. */
  async #giveBack(key: StreamKey): Promise<void> {
    const engine = this.#engines.byStream.get(key);
    if (!engine || !this.#request.follow) return;
    this.#erroredBefore.push(...(await engine.erroredLinks().catch((): ErroredLink[] => [])));
    this.#engines.byStream.delete(key);
    await engine[Symbol.asyncDispose]();
  }

  async #execute(plan: Plan, signal: AbortSignal): Promise<{ errors: JournalError[]; open: boolean }> {
    const { metrics, store, progress, clock } = this.#ports;
    for (const step of plan.steps)
      if (step.kind === 'create-slot') await this.#engines.byStream.get(step.stream)?.checkSlot(step);
    const journal = await store.begin(this.#request.run, plan);
    const executor = new Executor(this.#request.run, plan.id, {
      runners: engineRunners(this.#engines.byStream, progress),
      journal,
      clock,
      observer: this.#observer(),
    });
    for (const stream of this.#request.streams)
      metrics.planned(edgeOf(stream), plan.steps.filter((step) => step.stream === stream.key).length);
    for (const { key } of this.#request.streams) this.#planned.set(key, Promise.withResolvers());
    const ends = await Promise.all(
      this.#request.streams.map((stream) => this.#runStream(stream, plan, executor, signal)),
    );
    return { errors: ends.flatMap((end) => end.errors), open: ends.some((end) => end.open) };
  }

  /** The stream's steps, and then its following; a stream that fails leaves the others alone. */
  async #runStream(
    stream: Stream,
    plan: Plan,
    executor: Executor,
    signal: AbortSignal,
  ): Promise<{ errors: JournalError[]; open: boolean }> {
    const { health, metrics, clock } = this.#ports;
    const steps = plan.steps.filter((step) => step.stream === stream.key);
    health.set(stream.key, 'copying');
    // Whoever takes links over does it first: they change streams while this one stands.
    for (const step of plan.steps)
      if (step.kind === 'move-links' && step.from === stream.key)
        await this.#planned.get(step.stream)?.promise;
    const { errors, open } = await executor
      .steps(steps, signal)
      .finally(() => this.#planned.get(stream.key)?.resolve());
    if (errors.length > 0 || open.length > 0) {
      health.set(stream.key, errors.length > 0 ? 'failed' : 'ended', errors[0]?.code ?? null);
      await this.#giveBack(stream.key);
      return { errors: [], open: true };
    }
    metrics.succeeded(edgeOf(stream), clock.nowMs());
    if (!this.#request.follow || signal.aborted || steps.length === 0) {
      // What was tried again in this run has had its chance.
      this.#expired.push(...(await this.#engines.byStream.get(stream.key)!.expireHeld()));
      health.set(stream.key, 'ended');
      return { errors: [], open: false };
    }
    return { errors: await this.#follow(stream, executor, signal), open: false };
  }

  async #follow(stream: Stream, executor: Executor, signal: AbortSignal): Promise<JournalError[]> {
    const { health, clock, progress } = this.#ports;
    const engine = this.#engines.byStream.get(stream.key)!;
    try {
      const end = await follow(
        stream.key,
        {
          engine,
          clock,
          watch: this.#ports.watch(stream),
          plan: (without) => this.#ports.replan(stream, without),
          step: (step, within) => executor.step(step, within),
          streaming: async (step, ended) => {
            health.set(stream.key, ended ? 'paused' : 'streaming');
            if (!ended) return await executor.record(step, 'started');
            await executor.record(step, 'done', {
              result: streamResult(ended, step, progress, null),
              findings: ended.findings ?? [],
            });
          },
          warn: (text) => this.#ports.warn(text),
        },
        signal,
      );
      health.set(stream.key, 'ended');
      return end.error ? [end.error] : [];
    } catch (error) {
      const failure = asXcError(error);
      health.set(stream.key, 'failed', failure.code);
      await executor.record(followStep(stream.key), 'failed', { error: journalError(failure) });
      await this.#giveBack(stream.key);
      return [];
    }
  }

  #observer(): StepObserver {
    const { metrics, observer } = this.#ports;
    const edges = new Map(this.#request.streams.map((stream) => [stream.key, edgeOf(stream)]));
    const edge = (step: Step) => edges.get(step.stream) ?? { tier: 'warm', from: '', to: '' };
    return {
      started: (step) => observer.started?.(step),
      done: (step, durationMs, result) => {
        metrics.stepTook(edge(step), step.kind, durationMs);
        observer.done?.(step, durationMs, result);
      },
      failed: (step, durationMs, error) => {
        metrics.stepFailed(edge(step), error.code);
        observer.failed?.(step, durationMs, error);
      },
    };
  }

  /** For `--once`: whether the newest transaction applied came later than allowed. */
  #lagsAtEnd(): boolean {
    const { maxLagMs, follow: following } = this.#request;
    if (maxLagMs === null || following) return false;
    return this.#request.streams.some(({ key }) => (this.#ports.progress.lag(key)?.last ?? 0) > maxLagMs);
  }
}
