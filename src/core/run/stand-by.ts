/**
 * Waiting for streams that another run works on, without holding any of them: until each is free, or its run has been
 * silent for too long. A run that waits is live and not ready.
 */

import { EXIT, exitOf } from '../errors/exit.ts';
import { XcError, type XcCode } from '../errors/xc-error.ts';
import type { Health } from '../metrics/health.ts';
import type { StreamEngine } from '../replication/engine.ts';
import type { Holding } from '../replication/holding.ts';
import type { Clock } from '../time/clock.ts';
import type { Stream, StreamKey } from '../topology/link.ts';

/** How long a stream without a run may stay unseen. */
export const LOOK_EVERY_MS = 1_000;

export interface StandbyRequest {
  /** From --lock-timeout; null waits for as long as it takes. */
  readonly limitMs: number | null;
}

export interface StandbyPorts {
  readonly clock: Clock;
  readonly health: Health;
  engine(stream: Stream): Pick<StreamEngine, 'holding'>;
  /** Narration for people. */
  tell(text: string): void;
}

export class Standby {
  readonly #ports: StandbyPorts;
  readonly #deadlineMs: number;
  /** What was last told of each stream. */
  readonly #told = new Map<StreamKey, string>();
  /** Once a target has answered, one that does not is waited for; before that, it may be a wrong address. */
  #answered = false;

  constructor({ limitMs }: StandbyRequest, ports: StandbyPorts) {
    this.#ports = ports;
    this.#deadlineMs = limitMs === null ? Number.POSITIVE_INFINITY : ports.clock.nowMs() + limitMs;
  }

  /**
   * Resolves when all streams can be taken.
   * @throws XcError XC-7002 when the time is over; the signal's reason as soon as that aborts
   */
  async wait(streams: readonly Stream[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    for (;;) {
      const held: string[] = [];
      for (const stream of streams) {
        const by = await this.#heldBy(stream, signal);
        if (by !== null) held.push(`stream ${stream.key}: ${by}`);
      }
      this.#answered = true;
      if (held.length === 0) return;
      if (clock.nowMs() >= this.#deadlineMs)
        throw new XcError('XC-7002', { subject: held.join('; '), why: '--lock-timeout is over' });
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  /**
   * Taking did not succeed: somebody was quicker, or a server is not there.
   * @throws the error where waiting is of no use
   */
  async again(error: unknown, signal: AbortSignal): Promise<void> {
    if (!mayPass(error)) throw error;
    this.#ports.tell(`could not be taken over: ${error.message}`);
    await this.#ports.clock.sleep(LOOK_EVERY_MS, signal);
  }

  /** Null when the stream can be taken. */
  async #heldBy(stream: Stream, signal: AbortSignal): Promise<string | null> {
    try {
      const holding = await unlessAborted(this.#ports.engine(stream).holding(), signal);
      this.#tell(stream, holding);
      return holding.state === 'held' ? holding.by : null;
    } catch (error) {
      if (signal.aborted || !this.#answered || !mayPass(error)) throw error;
      this.#say(stream, `${error.code} ${error.message}`);
      return error.message;
    }
  }

  #tell(stream: Stream, holding: Holding): void {
    switch (holding.state) {
      case 'free':
        return this.#say(stream, 'free');
      case 'held':
        return this.#say(stream, `${holding.by} works on it`);
      case 'silent':
        return this.#say(stream, `silent: ${holding.by}`);
    }
  }

  #say(stream: Stream, text: string): void {
    this.#ports.health.set(stream.key, 'waiting', text);
    if (this.#told.get(stream.key) === text) return;
    this.#told.set(stream.key, text);
    this.#ports.tell(`stream ${stream.key}: waiting, ${text}`);
  }
}

/** Another run was quicker; its sessions take their time; a server or the network is away. */
const mayPass = (error: unknown): error is XcError =>
  error instanceof XcError && (WAITED_FOR.includes(error.code) || exitOf(error.code) === EXIT.unavailable);

const WAITED_FOR: readonly XcCode[] = ['XC-7002', 'XC-7011'];

/** An answer that may never come must not keep anybody who is told to stop. */
const unlessAborted = async <T>(work: Promise<T>, signal: AbortSignal): Promise<T> => {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason as Error);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
    aborted.promise.catch(() => {});
    work.catch(() => {});
  }
};
