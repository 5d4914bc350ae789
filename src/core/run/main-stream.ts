/** The stream of the main slot while following: stopped at a batch boundary for what must not run beside it. */

import type { StreamChanges } from '../plan/plan.ts';
import { slotName, type StreamKey } from '../topology/link.ts';
import type { FollowPorts } from './follow-ports.ts';

/** Not of the plan: what a run does once that is done. */
export const followStep = (stream: StreamKey): StreamChanges => ({
  id: FOLLOW,
  kind: 'stream-changes',
  stream,
  slot: slotName(stream),
  until: 'stopped',
  dependsOn: [],
});

export const FOLLOW = 'follow';

export class MainStream {
  /** Rejects when the stream fails; never resolves. */
  readonly failure: Promise<never>;
  readonly #step: StreamChanges;
  readonly #ports: Pick<FollowPorts, 'engine' | 'streaming'>;
  readonly #outer: AbortSignal;
  #fail: (error: unknown) => void = () => {};
  #running: { readonly controller: AbortController; readonly ended: Promise<void> } | null = null;
  /** Work that needs the stream to stand, one after the other. */
  #quiet: Promise<unknown> = Promise.resolve();

  constructor(stream: StreamKey, ports: Pick<FollowPorts, 'engine' | 'streaming'>, outer: AbortSignal) {
    this.#step = followStep(stream);
    this.#ports = ports;
    this.#outer = outer;
    this.failure = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failure.catch(() => {});
  }

  start(): void {
    const controller = new AbortController();
    const signal = AbortSignal.any([controller.signal, this.#outer]);
    this.#running = { controller, ended: this.#stream(signal).catch((error: unknown) => this.#fail(error)) };
  }

  async #stream(signal: AbortSignal): Promise<void> {
    await this.#ports.streaming(this.#step, null);
    const ended = await this.#ports.engine.streamChanges(this.#step, { until: null, signal });
    await this.#ports.streaming(this.#step, ended);
  }

  /** Resolves once the stream stands at a batch boundary. Doing it twice is the same. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    running?.controller.abort(new DOMException('the main stream pauses', 'AbortError'));
    await running?.ended;
  }

  /** Runs the work while the stream stands. It goes on afterwards, also after a failure, unless the work says `end`. */
  async whileStopped(work: () => Promise<'go on' | 'end'>): Promise<void> {
    const turn = this.#inTurn(this.#quiet, work);
    this.#quiet = turn.catch(() => {});
    await turn;
  }

  async #inTurn(before: Promise<unknown>, work: () => Promise<'go on' | 'end'>): Promise<void> {
    await before;
    await this.stop();
    let then: 'go on' | 'end' = 'go on';
    try {
      then = await work();
    } finally {
      if (then === 'go on' && !this.#outer.aborted) this.start();
    }
  }
}
