/** Sessions for looking: one to each database, opened when it is first asked, and again when it broke. */

import type { Client } from 'pg';
import { logPath } from '../../core/changelog/log-address.ts';
import type { ReplayedLog } from '../../core/changelog/replayed-log.ts';
import type { SourceLook, TargetLook } from '../../core/report/look.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { Stream } from '../../core/topology/link.ts';
import { connect, disconnect } from '../../providers/postgres/connect.ts';
import { lookAtSource, lookAtTarget } from '../../providers/postgres/status.ts';

type Place = Stream['source'];

/** A server that does not answer must not hold the others' status back for long. */
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 10_000;

export class Looker implements AsyncDisposable {
  readonly #dsns: ReadonlyMap<string, string>;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #sessions = new Map<string, Promise<Client>>();
  /** Of this look: streams that share a database share its answer. */
  readonly #underway = new Map<string, Promise<unknown>>();

  constructor(dsns: ReadonlyMap<string, string>, clock: Clock, signal: AbortSignal) {
    this.#dsns = dsns;
    this.#clock = clock;
    this.#signal = signal;
  }

  async source(place: Place): Promise<SourceLook> {
    const address = this.#dsns.get(place.region);
    if (address === undefined || logPath(address) === null)
      return await this.#ask('source', place, lookAtSource);
    // Asked for here: with it comes the whole engine, which a look at servers never needs.
    const { logAt } = await import('../../providers/registry.ts');
    return await this.#lookAtLog(logAt(address)!);
  }

  target(place: Place): Promise<TargetLook> {
    return this.#ask('target', place, lookAtTarget);
  }

  /** A log has no clock and no slots: who has all of it is not behind. */
  async #lookAtLog(log: ReplayedLog): Promise<SourceLook> {
    const { end, endMs } = await log.look(null);
    return { currentLsn: end, nowMs: endMs ?? this.#clock.nowMs(), slots: null };
  }

  async #ask<T>(
    side: string,
    place: Place,
    ask: (client: Client, subject: string) => Promise<T>,
  ): Promise<T> {
    const key = `${side}\n${place.region}\n${place.database}`;
    const running = this.#underway.get(key) as Promise<T> | undefined;
    if (running) return await running;
    const answer = this.#fresh(key, place, ask);
    this.#underway.set(key, answer);
    try {
      return await answer;
    } finally {
      this.#underway.delete(key);
    }
  }

  async #fresh<T>(
    key: string,
    place: Place,
    ask: (client: Client, subject: string) => Promise<T>,
  ): Promise<T> {
    const session = this.#sessions.get(key) ?? this.#open(place);
    this.#sessions.set(key, session);
    try {
      return await ask(await session, place.region);
    } catch (error) {
      this.#sessions.delete(key);
      await session.then(disconnect, () => undefined);
      throw error;
    }
  }

  #open({ region, database }: Place): Promise<Client> {
    return connect(this.#dsns.get(region) ?? '', {
      subject: region,
      database,
      readOnly: true,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      signal: this.#signal,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [...this.#sessions.values()].map((session) => session.then(disconnect, () => undefined)),
    );
  }
}
