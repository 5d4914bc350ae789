/** The streams of an engine that flow now, one a slot: through whatever passes by itself, until a position or a signal. */

import { maxLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import { isXcError, XcError } from '../../../core/errors/xc-error.ts';
import { newTally, type Tally } from '../../../core/replication/change-loop.ts';
import type { Streamed } from '../../../core/replication/engine.ts';
import { linksAtFault } from '../../../core/replication/link-fault.ts';
import { misfitFacts } from '../../../core/replication/misfit-error.ts';
import type { Link } from '../../../core/topology/link.ts';
import { addLacking, mayBeAdded } from './additive.ts';
import { setAside, type SetAside } from './link-faults.ts';
import { readSides, throughOutages, type EngineParts, type Sides } from './parts.ts';
import { mayPass } from './retry.ts';
import type { ShapeWatch } from './shape-watch.ts';
import { runStreamSession, type SessionPorts } from './stream-session.ts';
import type { Upkeep } from './upkeep.ts';

/** How often the source's catalogue is asked what moved. */
const WATCH_MS = 10_000;
/** How often a waiter looks whether the stream passed its position. */
const PASSED_POLL_MS = 20;

/** What a target that is given it may let pass. */
const lacksSomething = (error: unknown): boolean => misfitFacts(error) !== null;

export type Passed = (position: Lsn, signal: AbortSignal) => Promise<void>;

export class Streams {
  readonly #parts: EngineParts;
  /** Position that the running session of a slot has applied. */
  readonly #flowing = new Map<string, Lsn>();
  readonly #shapes: ShapeWatch;
  readonly #upkeep: Upkeep;
  /** What the running session of a slot rests on. */
  readonly #sessions = new Map<string, { readonly sides: Sides; readonly links: readonly Link[] }>();
  readonly #asText = new Set<string>();
  /** By slot: the transaction that has no place, before which everything is applied. */
  readonly #appliedUpTo = new Map<string, Lsn>();

  constructor(parts: EngineParts, shapes: ShapeWatch, upkeep: Upkeep) {
    this.#parts = parts;
    this.#shapes = shapes;
    this.#upkeep = upkeep;
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

  /**
   * @param until null streams until the signal aborts, which is then no error
   * @param waits for a target that lacks something, instead of ending with what it lacks
   */
  async run(
    slot: string,
    until: Lsn | null,
    epoch: number,
    signal: AbortSignal,
    waits = false,
  ): Promise<Streamed> {
    const end = newTally(ZERO_LSN);
    const over = new AbortController();
    const watch = this.#watch(slot, over.signal);
    const how = { endless: until === null, signal, wait: waits ? lacksSomething : undefined };
    const work = async (): Promise<void> => {
      while (await this.#flow(slot, until, epoch, end, how));
    };
    const position = (): Lsn | undefined => this.#flowing.get(slot);
    try {
      await this.#upkeep.beside(slot, () =>
        until === null ? this.#upkeep.following(slot, position, work) : work(),
      );
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    } finally {
      this.#flowing.delete(slot);
      over.abort();
      await watch;
      if (end.position !== ZERO_LSN)
        await this.#watching('emptied tables could not be looked at', () =>
          this.#settle(slot, signal.aborted || until === null ? end.position : maxLsn(end.position, until)),
        );
      this.#sessions.delete(slot);
    }
    return end;
  }

  /** @returns true when links were set aside, and the others are to go on */
  async #flow(
    slot: string,
    until: Lsn | null,
    epoch: number,
    end: Tally,
    how: Parameters<typeof throughOutages>[1],
  ): Promise<boolean> {
    const { held, store, tables, options } = this.#parts;
    const { signal } = how;
    const aside = await throughOutages(this.#parts, how, async (): Promise<SetAside | null> => {
      end.position = await this.position(slot);
      this.#flowing.set(slot, end.position);
      if (signal.aborted) return null;
      try {
        await this.#attempt(slot, until, epoch, end, signal);
        return null;
      } catch (error) {
        const atFault =
          linksAtFault(error).length > 0 &&
          !options.signal.aborted &&
          // A table that cannot join is no reason to hold what its links carry already.
          (await tables.joining(slot)).length === 0;
        const found = atFault ? await setAside(this.#parts, slot, error) : null;
        if (!found) throw error;
        return found;
      }
    });
    if (aside) end.errored.push(...aside.links);
    if (aside) return !aside.emptied && !signal.aborted;
    if (slot === store.mainSlot || until === null || signal.aborted) return false;
    for (const link of await held.recovered(slot, end.position))
      options.progress.note(`${link} has passed what held it`);
    return false;
  }

  /**
   * Where a transaction has no place on the target, everything before it is applied first; then what lacks is told, or
   * made where the rules let the run do so.
   */
  async #attempt(
    slot: string,
    until: Lsn | null,
    epoch: number,
    end: Tally,
    signal: AbortSignal,
  ): Promise<void> {
    let stopped: Lsn | null = null;
    const ports = await this.#ports(slot, epoch, (commit) => (stopped = commit));
    try {
      await runStreamSession(ports, slot, until, end, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (isXcError(error, 'XC-5207') && error.facts['text'] === true) this.#asText.add(slot);
      if (mayPass(error)) throw error;
      if (stopped !== null && stopped !== this.#appliedUpTo.get(slot)) {
        this.#appliedUpTo.set(slot, stopped);
        await runStreamSession(ports, slot, stopped, end, signal);
      }
      if (!isXcError(error) || !mayBeAdded(error, this.#parts)) throw error;
      await addLacking(error, this.#parts.session);
      throw new XcError('XC-5207', { why: 'the target was given what it lacked', cause: error });
    }
  }

  async #ports(slot: string, epoch: number, stopped: (commit: Lsn) => void): Promise<SessionPorts> {
    const { options, sessions, store, tables, chunks, control } = this.#parts;
    return {
      options,
      sessions,
      store,
      tables,
      chunks,
      source: await control.source(),
      target: await control.reader(),
      epoch,
      sides: (links: Parameters<typeof readSides>[1]) =>
        readSides(this.#parts, links, { lacking: 'leave', meant: { slot } }),
      shapes: this.#shapes,
      asText: this.#asText.has(slot),
      stopped,
      began: (sides, links) => void this.#sessions.set(slot, { sides, links }),
      passed: (passed: Lsn) => void this.#flowing.set(slot, passed),
    };
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

  /** Looks now and then at the source's tables. */
  async #watch(slot: string, over: AbortSignal): Promise<void> {
    const { clock } = this.#parts.options;
    while (!over.aborted) {
      await this.#watching('the source’s tables could not be looked at', () => this.#look(slot), over);
      await clock.sleep(WATCH_MS, over).catch(() => {});
    }
  }

  async #look(slot: string): Promise<void> {
    const session = this.#sessions.get(slot);
    if (!session) return;
    const { sides, links } = session;
    if (await this.#shapes.moved(slot, await this.#parts.control.source(), sides))
      await this.#lookAgain(slot, links);
    await this.#shapes.settle(slot, this.#flowing.get(slot) ?? ZERO_LSN);
    if (this.#shapes.isSuspecting(slot)) await this.#shapes.horizon();
  }

  async #lookAgain(slot: string, links: readonly Link[]): Promise<void> {
    const now = await readSides(this.#parts, links, { lacking: 'leave', meant: { slot } });
    await this.#shapes.look(slot, now, links);
    this.#sessions.set(slot, { sides: now, links });
  }

  /** What the stream told of tables that were emptied is known to nobody after it. */
  async #settle(slot: string, position: Lsn): Promise<void> {
    const links = this.#sessions.get(slot)?.links;
    if (links && this.#shapes.hasNews(slot)) await this.#lookAgain(slot, links);
    await this.#shapes.settle(slot, position);
  }

  /** That something cannot be asked is no reason to stop streaming. */
  async #watching(what: string, work: () => Promise<void>, over?: AbortSignal): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (over?.aborted) return;
      this.#parts.options.progress.note(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
