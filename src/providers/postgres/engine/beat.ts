/**
 * The sign of life of the run that holds a stream, in the stream's row on the target, with the sessions that the run has
 * on both servers. Every session is written there before it is used: whoever takes the stream over can end all of them,
 * and a run that was taken over gets no further session, whenever it wakes up. The sign has a session of its own,
 * because it must not wait behind a long statement.
 */

import type { Socket } from 'node:net';
import type { Client } from 'pg';
import { isXcError, XcError } from '../../../core/errors/xc-error.ts';
import type { EngineOptions } from './options.ts';
import { SharedClient } from './shared-client.ts';

/** Several fit into the shortest silence after which a run may be taken over. */
const BEAT_MS = 2_000;

export type Side = 'source' | 'target';

/** One process of a server. Its pid alone would be another's one day. */
export interface RecordedSession {
  readonly side: Side;
  readonly pid: number;
  /** `backend_start` as text, in UTC. */
  readonly since: string;
}

const OWN = 'SELECT pid, backend_start::text AS since FROM pg_stat_get_activity(pg_backend_pid())';

const CLAIM = `
  UPDATE xcrepl.streams SET beat_at = clock_timestamp(), beat_run = $2, sessions = $3 WHERE stream = $1 AND runner = $2`;

export class Beat implements AsyncDisposable {
  readonly #options: EngineOptions;
  readonly #client: SharedClient;
  #sessions: (RecordedSession & { readonly socket: Socket })[] = [];
  #over: AbortController | null = null;
  #beating: Promise<void> = Promise.resolve();

  /** @param open gives the sign's own session */
  constructor(options: EngineOptions, open: () => Promise<Client>) {
    this.#options = options;
    this.#client = new SharedClient(open);
  }

  /** Whether the run has taken the stream. */
  get isHolder(): boolean {
    return this.#over !== null;
  }

  /** Sessions that are open now, as JSON. */
  sessions(): string {
    this.#sessions = this.#sessions.filter(({ socket }) => !socket.destroyed);
    return JSON.stringify(this.#sessions.map(({ side, pid, since }) => ({ side, pid, since })));
  }

  /**
   * Takes a new session down; of a run that holds the stream also in the target.
   * @throws XcError XC-7010
   */
  async enrol(side: Side, client: Client, said: 'now' | 'later'): Promise<void> {
    const { rows } = await client.query<{ pid: number; since: string }>(OWN);
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    this.#sessions.push({ side, pid: rows[0]!.pid, since: rows[0]!.since, socket: stream });
    if (this.isHolder && said === 'now') await this.confirm();
  }

  /** The run has taken the stream: from now on it says that it lives. */
  begin(): void {
    this.#over ??= new AbortController();
    this.#beating = this.#beat(this.#over.signal);
  }

  /**
   * Says once that the run lives, and which sessions it has.
   * @throws XcError XC-7010 when another run took the stream over
   */
  async claim(client: Client): Promise<void> {
    const { stream, run } = this.#options;
    const { rowCount } = await client.query(CLAIM, [stream.key, run, this.sessions()]);
    if (rowCount) return;
    const { rows } = await client.query<{ runner: string | null }>(
      'SELECT runner FROM xcrepl.streams WHERE stream = $1',
      [stream.key],
    );
    // Without a row the stream has lost its last link.
    if (!rows[0]) return;
    const { runner } = rows[0];
    throw new XcError('XC-7010', {
      subject: `stream ${stream.key}`,
      why: runner === null ? 'another run was here and has ended' : `run ${runner} has it now`,
    });
  }

  /** The same over the sign's own session. */
  async confirm(): Promise<void> {
    await this.claim(await this.#client.get());
  }

  /** A lost connection may be what a takeover looks like to the run that was taken over. @returns what it was */
  async judged(error: unknown): Promise<unknown> {
    if (!this.isHolder || !isXcError(error, 'XC-6001')) return error;
    try {
      await this.confirm();
    } catch (lost) {
      if (isXcError(lost, 'XC-7010')) return lost;
    }
    return error;
  }

  async #beat(over: AbortSignal): Promise<void> {
    const { clock, progress } = this.#options;
    let wasHeard = true;
    while (!over.aborted) {
      await clock.sleep(BEAT_MS, over).catch(() => {});
      if (over.aborted) return;
      try {
        await this.confirm();
        wasHeard = true;
      } catch (error) {
        if (over.aborted) return;
        const isTaken = isXcError(error, 'XC-7010');
        if (wasHeard || isTaken)
          progress.note(`sign of life: ${error instanceof Error ? error.message : String(error)}`);
        if (isTaken) return;
        wasHeard = false;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over?.abort();
    // First the session: a sign under way may wait for a server that does not answer.
    await this.#client[Symbol.asyncDispose]();
    await this.#beating;
  }
}
