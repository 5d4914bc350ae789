/**
 * The sessions that an engine always has: one on the source, one on the target, and one there that holds the stream's lock.
 * Each is opened again when it broke; the lock is then taken again, and only if no other run was here meanwhile.
 */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import { disconnect } from '../connect.ts';
import { takeLock } from './lock.ts';
import type { EngineOptions } from './options.ts';
import type { Sessions } from './sessions.ts';

export class Control implements AsyncDisposable {
  readonly #options: EngineOptions;
  readonly #sessions: Sessions;
  #source: Client | null = null;
  #target: Client | null = null;
  #reader: Client | null = null;
  #acquired = false;

  constructor(options: EngineOptions, sessions: Sessions) {
    this.#options = options;
    this.#sessions = sessions;
  }

  async source(): Promise<Client> {
    if (this.#source) return this.#source;
    const client = await this.#sessions.source('control');
    client.on('end', () => {
      if (this.#source === client) this.#source = null;
    });
    return (this.#source = client);
  }

  /** Whether the session that holds the lock is there now. */
  get isHeld(): boolean {
    return this.#target !== null;
  }

  /** On the target, for everything but the state that `target` guards: that one has transactions of its own. */
  async reader(): Promise<Client> {
    if (this.#reader) return this.#reader;
    const client = await this.#sessions.target('control');
    client.on('end', () => {
      if (this.#reader === client) this.#reader = null;
    });
    return (this.#reader = client);
  }

  /** @throws XcError XC-7002 when another run holds the stream */
  async target(): Promise<Client> {
    if (this.#target) return this.#target;
    const { stream, lockTimeoutMs, clock, signal, run } = this.#options;
    const client = await this.#sessions.target('control');
    client.on('end', () => {
      if (this.#target === client) this.#target = null;
    });
    try {
      await refuseUninitialised(client, stream.target.region);
      await takeLock(client, stream.key, lockTimeoutMs, clock, signal);
      if (this.#acquired) await refuseTakenOver(client, stream.key, run);
    } catch (error) {
      await disconnect(client);
      throw error;
    }
    this.#acquired = true;
    return (this.#target = client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [this.#source, this.#target, this.#reader].filter((client) => client !== null);
    this.#source = null;
    this.#target = null;
    this.#reader = null;
    await Promise.all(open.map((client) => disconnect(client)));
  }
}

const refuseUninitialised = async (client: Client, region: string): Promise<void> => {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('xcrepl.checkpoints') IS NOT NULL AS there`,
  );
  if (!rows[0]?.there)
    throw new XcError('XC-2016', { subject: region, next: `xcrepl init --region ${region}` });
};

const refuseTakenOver = async (client: Client, stream: string, run: string): Promise<void> => {
  const { rows } = await client.query<{ runner: string | null }>(
    'SELECT runner FROM xcrepl.streams WHERE stream = $1',
    [stream],
  );
  const runner = rows[0]?.runner ?? null;
  if (runner !== null && runner !== run)
    throw new XcError('XC-7002', {
      subject: `stream ${stream}`,
      why: `run ${runner} took it over while this one was cut off`,
    });
};
