/** The engines of a run, one a stream: taken together, after a wait where the run stands by, and given back together. */

import type { Health } from '../metrics/health.ts';
import type { ErroredLink, StreamEngine } from '../replication/engine.ts';
import type { Clock } from '../time/clock.ts';
import type { Stream, StreamKey } from '../topology/link.ts';
import { Standby, type StandbyRequest } from './stand-by.ts';

export interface HeldEnginesPorts {
  readonly clock: Clock;
  readonly health: Health;
  /** Opens the stream's engine, without its lock. */
  open(stream: Stream): StreamEngine;
  /** Of a run that waited: brings its streams' links to the configuration of now, before they are taken. */
  refresh?(): Promise<void>;
  /** Narration for people. */
  tell?(text: string): void;
}

export class HeldEngines {
  readonly byStream = new Map<StreamKey, StreamEngine>();
  readonly #streams: readonly Stream[];
  readonly #ports: HeldEnginesPorts;

  constructor(streams: readonly Stream[], ports: HeldEnginesPorts) {
    this.#streams = streams;
    this.#ports = ports;
  }

  /**
   * All locks before anything else: a run that gets only some of them gives those back.
   * @throws XcError XC-7002
   */
  async acquire(): Promise<void> {
    for (const stream of this.#streams) {
      await this.#of(stream).acquire();
      this.#ports.health.set(stream.key, 'starting');
    }
  }

  /** The same once no other run has any of the streams. @throws what Standby throws */
  async acquireWhenFree(request: StandbyRequest, signal: AbortSignal): Promise<void> {
    const { clock, health } = this.#ports;
    const standby = new Standby(request, {
      clock,
      health,
      engine: (stream) => this.#of(stream),
      tell: (text) => this.#ports.tell?.(text),
    });
    for (;;) {
      await standby.wait(this.#streams, signal);
      await this.#ports.refresh?.();
      try {
        return await this.acquire();
      } catch (error) {
        await this.release();
        this.byStream.clear();
        await standby.again(error, signal);
      }
    }
  }

  /** @throws XcError XC-7010 when another run has taken one of the streams over */
  async confirm(): Promise<void> {
    for (const engine of this.byStream.values()) await engine.confirm();
  }

  /** As the targets say. One that cannot be asked any more has ended its stream with an error of its own. */
  async erroredLinks(): Promise<ErroredLink[]> {
    const lists = await Promise.all(
      [...this.byStream.values()].map((engine) => engine.erroredLinks().catch((): ErroredLink[] => [])),
    );
    return lists.flat();
  }

  async release(): Promise<void> {
    for (const engine of this.byStream.values()) await engine[Symbol.asyncDispose]();
  }

  #of(stream: Stream): StreamEngine {
    const engine = this.byStream.get(stream.key) ?? this.#ports.open(stream);
    this.byStream.set(stream.key, engine);
    return engine;
  }
}
