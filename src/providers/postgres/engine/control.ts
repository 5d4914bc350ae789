/**
 * The sessions that an engine always has: one on the source, one on the target, and one there that holds the stream's lock.
 * Each is opened again when it broke; the lock is then taken again, and only if no other run was here meanwhile.
 */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import { disconnect } from '../connect.ts';
import type { Beat } from './beat.ts';
import { takeLock } from './lock.ts';
import type { EngineOptions } from './options.ts';
import type { Sessions } from './sessions.ts';
import { SharedClient } from './shared-client.ts';

export class Control implements AsyncDisposable {
  readonly #options: EngineOptions;
  readonly #source: SharedClient;
  readonly #reader: SharedClient;
  readonly #target: SharedClient;
  readonly #beat: Beat;

  constructor(options: EngineOptions, sessions: Sessions, beat: Beat) {
    this.#options = options;
    this.#beat = beat;
    this.#source = new SharedClient(() => sessions.source('control'));
    this.#reader = new SharedClient(() => sessions.target('control'));
    this.#target = new SharedClient(async () => {
      const client = await sessions.target('lock');
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

  /** @throws XcError XC-7002 when another run holds the stream, XC-7010 when one has taken it over */
  target(): Promise<Client> {
    return this.#target.get();
  }

  /** Whether the session that holds the lock is there now. */
  get isHeld(): boolean {
    return this.#target.isOpen;
  }

  async #lock(client: Client): Promise<void> {
    const { stream, lockTimeoutMs, clock, signal } = this.#options;
    await refuseUninitialised(client, stream.target.region);
    const claim = async (): Promise<void> => {
      if (this.#beat.isHolder) await this.#beat.claim(client);
    };
    // Before the lock, too: who took the stream over has it, and will not give it back.
    await claim();
    await takeLock(client, stream.key, lockTimeoutMs, clock, signal);
    await claim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.#source, this.#target, this.#reader].map((client) => client[Symbol.asyncDispose]()),
    );
  }
}

const refuseUninitialised = async (client: Client, region: string): Promise<void> => {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = to_regclass('xcrepl.streams') AND attname = 'beat_run') AS there`,
  );
  if (!rows[0]?.there)
    throw new XcError('XC-2016', { subject: region, next: `xcrepl init --region ${region}` });
};
