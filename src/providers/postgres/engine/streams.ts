/** The streams of an engine that flow now, one a slot: through whatever passes by itself, until a position or a signal. */

import { ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import { newTally } from '../../../core/replication/change-loop.ts';
import type { Streamed } from '../../../core/replication/engine.ts';
import { readSides, throughOutages, type EngineParts } from './parts.ts';
import { retainedBytes } from './slots.ts';
import { runStreamSession } from './stream-session.ts';

/** How often the log that a slot holds back is measured. */
const RETAINED_MS = 10_000;
/** How often a waiter looks whether the stream passed its position. */
const PASSED_POLL_MS = 20;

export type Passed = (position: Lsn, signal: AbortSignal) => Promise<void>;

export class Streams {
  readonly #parts: EngineParts;
  /** Position that the running session of a slot has applied. */
  readonly #flowing = new Map<string, Lsn>();

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /** The slot's checkpoint. @throws XcError XC-5001 without one */
  async position(slot: string): Promise<Lsn> {
    const position = await this.#parts.store.checkpoint(slot);
    if (position === null)
      throw new XcError('XC-5001', {
        subject: `${slot} on ${this.#parts.options.stream.source.region}`,
        why: 'links are on the slot, but its checkpoint is missing in the target',
      });
    return position;
  }

  /** @param until null streams until the signal aborts, which is then no error */
  async run(slot: string, until: Lsn | null, epoch: number, signal: AbortSignal): Promise<Streamed> {
    const end = newTally(ZERO_LSN);
    const over = new AbortController();
    const watch = this.#watchRetained(slot, over.signal);
    const { options, sessions, store, chunks, control } = this.#parts;
    try {
      await throughOutages(this.#parts, { endless: until === null, signal }, async () => {
        end.position = await this.position(slot);
        this.#flowing.set(slot, end.position);
        if (signal.aborted) return;
        const ports = {
          options,
          sessions,
          store,
          chunks,
          source: await control.source(),
          target: await control.reader(),
          epoch,
          sides: (links: Parameters<typeof readSides>[1]) => readSides(this.#parts, links),
          passed: (passed: Lsn) => void this.#flowing.set(slot, passed),
        };
        await runStreamSession(ports, slot, until, end, signal);
      });
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    } finally {
      this.#flowing.delete(slot);
      over.abort();
      await watch;
    }
    return end;
  }

  /** Runs the work while the slot's stream flows, which it does already or does for this alone. */
  async during<T>(
    slot: string,
    epoch: number,
    signal: AbortSignal,
    work: (passed: Passed) => Promise<T>,
  ): Promise<T> {
    const stop = new AbortController();
    let failure: unknown = null;
    const own = this.#flowing.has(slot)
      ? null
      : this.run(slot, null, epoch, AbortSignal.any([signal, stop.signal]));
    own?.catch((error: unknown) => (failure = error));
    try {
      return await work((position, abort) => this.#passed(slot, position, abort, () => failure));
    } finally {
      stop.abort(new DOMException('what it flowed for is done', 'AbortError'));
      await own?.catch(() => {});
    }
  }

  async #passed(slot: string, position: Lsn, signal: AbortSignal, failure: () => unknown): Promise<void> {
    while ((this.#flowing.get(slot) ?? ZERO_LSN) < position) {
      if (failure() !== null) throw failure();
      await this.#parts.options.clock.sleep(PASSED_POLL_MS, signal);
    }
  }

  /** Tells now and then how much log the slot holds back. That it cannot be asked is no reason to stop streaming. */
  async #watchRetained(slot: string, over: AbortSignal): Promise<void> {
    const { progress, clock } = this.#parts.options;
    while (!over.aborted) {
      try {
        const bytes = await retainedBytes(await this.#parts.control.source(), slot);
        if (bytes !== null) progress.retained(bytes);
      } catch (error) {
        if (over.aborted) return;
        progress.note(`retained log is not known: ${error instanceof Error ? error.message : String(error)}`);
      }
      await clock.sleep(RETAINED_MS, over).catch(() => {});
    }
  }
}
