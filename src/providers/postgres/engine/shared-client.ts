/**
 * A client that several users share: opened by the first who asks, opened again when it broke, and given one statement at
 * a time, in the order in which they come.
 */

import PQueue from 'p-queue';
import type { Client } from 'pg';
import { disconnect } from '../connect.ts';

export class SharedClient implements AsyncDisposable {
  readonly #open: () => Promise<Client>;
  #opening: Promise<Client> | null = null;
  #client: Client | null = null;
  #closed = false;

  constructor(open: () => Promise<Client>) {
    this.#open = open;
  }

  /** Whether it is connected now. */
  get isOpen(): boolean {
    return this.#client !== null;
  }

  /** @throws DOMException AbortError once it is closed: what is still under way must not open it again for nobody */
  async get(): Promise<Client> {
    if (this.#closed) throw new DOMException('the session is closed', 'AbortError');
    if (this.#client) return this.#client;
    this.#opening ??= this.#connect().finally(() => (this.#opening = null));
    return await this.#opening;
  }

  async #connect(): Promise<Client> {
    const client = inTurn(await this.#open());
    client.on('end', () => {
      if (this.#client === client) this.#client = null;
    });
    return (this.#client = client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#opening?.catch(() => {});
    const client = this.#client;
    this.#client = null;
    if (client) await disconnect(client);
  }
}

/** `pg` queues statements by itself and warns of it, because most who rely on that do so by mistake. */
const inTurn = (client: Client): Client => {
  const queue = new PQueue({ concurrency: 1 });
  const query = client.query.bind(client) as (...given: unknown[]) => Promise<unknown>;
  return Object.assign(client, { query: (...given: unknown[]) => queue.add(() => query(...given)) });
};
