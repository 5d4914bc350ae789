/**
 * Which tables the two databases of a stream have, as a text that changes when one comes, goes, or is keyed another way:
 * what lets a run that follows take in a table that a rule names, also when it was the target that lacked it.
 */

import type { Client } from 'pg';
import type { Clock } from '../../core/time/clock.ts';
import type { Stream, StreamKey } from '../../core/topology/link.ts';
import { connect, disconnect } from '../../providers/postgres/connect.ts';
import { readTableStamp } from '../../providers/postgres/catalogue/table-stamp.ts';

type Side = 'source' | 'target';

/** Sessions for a look now and then; one that broke is opened again for the next. */
export class StreamSessions implements AsyncDisposable {
  readonly #dsns: ReadonlyMap<string, string>;
  readonly #signal: AbortSignal;
  readonly #open = new Map<string, Client>();

  constructor(dsns: ReadonlyMap<string, string>, signal: AbortSignal) {
    this.#dsns = dsns;
    this.#signal = signal;
  }

  async ask<T>(stream: Stream, side: Side, question: (client: Client) => Promise<T>): Promise<T> {
    const key = `${stream.key} ${side}`;
    const { region, database } = stream[side];
    const client =
      this.#open.get(key) ??
      (await connect(this.#dsns.get(region) ?? '', {
        subject: region,
        database,
        readOnly: true,
        signal: this.#signal,
      }));
    this.#open.set(key, client);
    try {
      return await question(client);
    } catch (error) {
      this.#open.delete(key);
      await disconnect(client);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map((client) => disconnect(client)));
  }
}

/** A catalogue of many tables is not read more often than this. */
const EVERY_MS = 10_000;

export class TableWatch {
  readonly #sessions: StreamSessions;
  readonly #clock: Clock;
  readonly #seen = new Map<StreamKey, { readonly atMs: number; readonly stamp: string }>();

  constructor(sessions: StreamSessions, clock: Clock) {
    this.#sessions = sessions;
    this.#clock = clock;
  }

  /** As before where a server cannot be asked: the stream says so itself, and a change log has no tables to ask for. */
  async stamp(stream: Stream): Promise<string> {
    const seen = this.#seen.get(stream.key);
    const nowMs = this.#clock.nowMs();
    if (seen && nowMs - seen.atMs < EVERY_MS) return seen.stamp;
    const stamp = await this.#read(stream).catch(() => seen?.stamp ?? '');
    this.#seen.set(stream.key, { atMs: nowMs, stamp });
    return stamp;
  }

  async #read(stream: Stream): Promise<string> {
    const source = await this.#sessions.ask(stream, 'source', readTableStamp);
    return `${source} ${await this.#sessions.ask(stream, 'target', readTableStamp)}`;
  }
}
