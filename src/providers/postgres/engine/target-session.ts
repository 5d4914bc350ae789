/**
 * The session that holds the stream's lock, for whoever writes what decides: one statement or transaction after another,
 * because what runs beside must not end up inside somebody's transaction.
 */

import PQueue from 'p-queue';
import type { Client, QueryResult, QueryResultRow } from 'pg';
import type { EngineOptions } from './options.ts';

export class TargetSession {
  readonly options: EngineOptions;
  readonly #connect: () => Promise<Client>;
  readonly #queue = new PQueue({ concurrency: 1 });

  /** @param connect gives the live session that holds the stream's lock */
  constructor(connect: () => Promise<Client>, options: EngineOptions) {
    this.#connect = connect;
    this.options = options;
  }

  async query<R extends QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
  ): Promise<QueryResult<R>> {
    return await this.#queue.add(async () => (await this.#connect()).query<R>(sql, [...values]));
  }

  async transaction<T>(work: (client: Client) => Promise<T>): Promise<T> {
    return await this.#queue.add(async () => {
      const client = await this.#connect();
      await client.query('BEGIN');
      try {
        const result = await work(client);
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => {});
        throw error;
      }
    });
  }

  /** An entry for the audit log, in the transaction that it tells of. */
  async audit(client: Client, action: string, subject: string, facts: object): Promise<void> {
    await client.query(
      'INSERT INTO xcrepl.audit_outbox (stream, run, action, subject, facts) VALUES ($1, $2, $3, $4, $5)',
      [this.options.stream.key, this.options.run, action, subject, JSON.stringify(facts)],
    );
  }
}
