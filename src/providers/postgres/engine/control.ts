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
import { SharedClient } from './shared-client.ts';

export class Control implements AsyncDisposable {
  readonly #options: EngineOptions;
  readonly #source: SharedClient;
  readonly #reader: SharedClient;
  readonly #target: SharedClient;
  #acquired = false;

  constructor(options: EngineOptions, sessions: Sessions) {
    this.#options = options;
    this.#source = new SharedClient(() => sessions.source('control'));
    this.#reader = new SharedClient(() => sessions.target('control'));
    this.#target = new SharedClient(async () => {
      const client = await sessions.target('control');
      try {
        await this.#lock(client);
        return client;
      } catch (error) {
        await disconnect(client);
        throw error;
      }
    });
  }

  source(): Promise<Client> {
    return this.#source.get();
  }

  /** On the target, for everything but the state that `target` guards: that one has transactions of its own. */
  reader(): Promise<Client> {
    return this.#reader.get();
  }

  /** @throws XcError XC-7002 when another run holds the stream */
  target(): Promise<Client> {
    return this.#target.get();
  }

  /** Whether the session that holds the lock is there now. */
  get isHeld(): boolean {
    return this.#target.isOpen;
  }

  async #lock(client: Client): Promise<void> {
    const { stream, lockTimeoutMs, clock, signal, run } = this.#options;
    await refuseUninitialised(client, stream.target.region);
    await takeLock(client, stream.key, lockTimeoutMs, clock, signal);
    if (this.#acquired) await refuseTakenOver(client, stream.key, run);
    this.#acquired = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.#source, this.#target, this.#reader].map((client) => client[Symbol.asyncDispose]()),
    );
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
