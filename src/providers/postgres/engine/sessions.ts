/** Sessions of an engine: each with its name in pg_stat_activity and the settings that its work needs. */

import type { Client } from 'pg';
import { connect, disconnect, type ConnectOptions } from '../connect.ts';
import { WireConnection } from '../wire/connection.ts';
import type { Beat } from './beat.ts';
import type { EngineOptions } from './options.ts';

/** Longest wait for a row or table lock on the target: then the batch is rolled back and tried again. */
const LOCK_TIMEOUT_MS = 30_000;

/**
 * What the applier sets: triggers and foreign keys as on a replica; commits that do not wait for the disk, because the
 * slot is acknowledged only when they are there; and plans by index, because a batch is small beside its table and the
 * planner cannot know it, made once: for each of the first five batches of a table and shape it would else plan anew,
 * which costs more than ten rows do. The rows of a batch, which a statement unnests, stay in memory.
 */
const APPLIER: Readonly<Record<string, string>> = {
  session_replication_role: 'replica',
  synchronous_commit: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_seqscan: 'off',
  plan_cache_mode: 'force_generic_plan',
  work_mem: '64MB',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

const COPIER: Readonly<Record<string, string>> = {
  session_replication_role: 'replica',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

const LONG_READER: Readonly<Record<string, string>> = {
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
};

/** A sign of life is worth nothing after a crash, and must not wait for a standby that went away. */
const BEAT: Readonly<Record<string, string>> = { synchronous_commit: 'off' };

export type SessionKind = 'control' | 'lock' | 'beat' | 'applier' | 'copier' | 'reader' | 'walsender';

export type SessionOptions = Pick<EngineOptions, 'stream' | 'dsn' | 'run' | 'host' | 'pid' | 'signal'>;

export class Sessions {
  readonly #options: SessionOptions;
  readonly #beat: Pick<Beat, 'enrol'> | null;

  /** @param beat takes down what is opened, where a run may be taken over */
  constructor(options: SessionOptions, beat: Pick<Beat, 'enrol'> | null = null) {
    this.#options = options;
    this.#beat = beat;
  }

  /** `xcrepl HOST:PID RUN`: what a locked-out run reads back. */
  get applicationName(): string {
    const { host, pid, run } = this.#options;
    return `xcrepl ${host.slice(0, 20)}:${pid} ${run}`.slice(0, 63);
  }

  source(kind: 'control' | 'reader'): Promise<Client> {
    return this.#open('source', kind);
  }

  target(kind: 'control' | 'lock' | 'beat' | 'copier'): Promise<Client> {
    return this.#open('target', kind);
  }

  /** For commands of the replication protocol that give rows. */
  walsender(): Promise<Client> {
    return this.#open('source', 'walsender');
  }

  async wire(
    side: 'source' | 'target',
    kind: SessionKind,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<WireConnection> {
    return WireConnection.take(await this.#open(side, kind, settings));
  }

  async #open(
    side: 'source' | 'target',
    kind: SessionKind,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<Client> {
    const { dsn, stream, signal } = this.#options;
    const place = stream[side];
    const options: ConnectOptions = {
      subject: place.region,
      database: place.database,
      applicationName: this.applicationName,
      ...(kind === 'walsender' ? { replication: 'database' as const } : {}),
      ...(kind === 'applier' ? { lockTimeoutMs: LOCK_TIMEOUT_MS } : {}),
      settings: { ...SETTINGS[kind], ...settings },
      signal,
    };
    const client = await connect(dsn[side], options);
    try {
      await this.#beat?.enrol(side, client, kind === 'lock' || kind === 'beat' ? 'later' : 'now');
      return client;
    } catch (error) {
      await disconnect(client);
      throw error;
    }
  }
}

const SETTINGS: Readonly<Record<SessionKind, Readonly<Record<string, string>>>> = {
  control: {},
  lock: {},
  beat: BEAT,
  applier: APPLIER,
  copier: COPIER,
  reader: LONG_READER,
  walsender: LONG_READER,
};
