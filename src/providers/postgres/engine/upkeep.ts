/**
 * What is looked after beside a slot that is worked on: how much log it holds back, the heartbeat, the sequences. None of
 * it may stop the work: what fails is said, and tried again the next time.
 */

import type { Lsn } from '../../../core/change/lsn.ts';
import { judgeRetained, RetainedRate, RETENTION } from '../../../core/metrics/retained-wal.ts';
import { expireHeld } from './held-budget.ts';
import { Heartbeat } from './heartbeat.ts';
import type { EngineParts } from './parts.ts';
import { carrySequences } from './sequences.ts';
import { retainedLog } from './slots.ts';

/** How often the log that a slot holds back is measured. */
const RETAINED_MS = 10_000;
const HEARTBEAT_MS = 15_000;
/** How far a target's sequences may be behind, beside the head start of their rules. */
const SEQUENCES_MS = 30_000;

interface Beside {
  users: number;
  readonly stop: AbortController;
  readonly done: Promise<unknown>;
}

export class Upkeep {
  readonly #parts: EngineParts;
  readonly #snapshotMs: () => number;
  readonly #besides = new Map<string, Beside>();

  /** @param snapshotMs age of the oldest snapshot that copies read under */
  constructor(parts: EngineParts, snapshotMs: () => number) {
    this.#parts = parts;
    this.#snapshotMs = snapshotMs;
  }

  /** Does the work, and looks after the slot for as long as anybody works on it. */
  async beside<T>(slot: string, work: () => Promise<T>): Promise<T> {
    const beside = this.#besides.get(slot) ?? this.#begin(slot, (signal) => this.#measure(slot, signal));
    beside.users++;
    try {
      return await work();
    } finally {
      beside.users--;
      if (beside.users === 0) {
        this.#besides.delete(slot);
        beside.stop.abort();
        await beside.done;
        this.#parts.options.progress.copySnapshot?.(this.#snapshotMs());
      }
    }
  }

  /** The same for a stream that flows without end. */
  async following<T>(slot: string, position: () => Lsn | undefined, work: () => Promise<T>): Promise<T> {
    const { heartbeatMs = HEARTBEAT_MS } = this.#parts.options.upkeep ?? {};
    const stop = new AbortController();
    const heartbeat = new Heartbeat((text) => this.#parts.options.progress.note(text));
    const done = [
      ...(heartbeatMs === null
        ? []
        : [
            this.#every(heartbeatMs, 'heartbeat', stop.signal, async () => {
              const at = position();
              if (at !== undefined) await heartbeat.beat(await this.#parts.control.source(), at);
            }),
          ]),
      ...(slot === this.#parts.store.mainSlot
        ? [
            this.#every(RETAINED_MS, 'held links', stop.signal, async () => {
              await expireHeld(this.#parts);
            }),
            this.#every(SEQUENCES_MS, 'sequences', stop.signal, async () => {
              await carrySequences(this.#parts);
            }),
          ]
        : []),
    ];
    try {
      return await work();
    } finally {
      stop.abort();
      await Promise.all(done);
    }
  }

  #begin(slot: string, run: (signal: AbortSignal) => Promise<void>): Beside {
    const stop = new AbortController();
    const beside = { users: 0, stop, done: run(stop.signal) };
    this.#besides.set(slot, beside);
    return beside;
  }

  async #measure(slot: string, signal: AbortSignal): Promise<void> {
    const { progress, clock, upkeep } = this.#parts.options;
    const rate = new RetainedRate();
    await this.#every(RETAINED_MS, 'retained log', signal, async () => {
      progress.copySnapshot?.(this.#snapshotMs());
      const log = await retainedLog(await this.#parts.control.source(), slot);
      if (!log) return;
      const bytesPerSecond = rate.add(log.bytes, clock.nowMs());
      progress.retained(judgeRetained({ ...log, bytesPerSecond }, upkeep?.retention ?? RETENTION));
    });
  }

  async #every(ms: number, what: string, over: AbortSignal, work: () => Promise<void>): Promise<void> {
    const { progress, clock } = this.#parts.options;
    while (!over.aborted) {
      try {
        await work();
      } catch (error) {
        if (over.aborted) return;
        progress.note(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      }
      await clock.sleep(ms, over).catch(() => {});
    }
  }
}
