/** A database of a test: queries over a small pool, and its DSN for whoever connects by himself. */

import { Client, Pool, type QueryResultRow } from 'pg';

export interface TestDatabase {
  readonly region: string;
  readonly dsn: string;
  readonly database: string;
  readonly port: number;
  /** Rows of one statement (or of the last of several without parameters). */
  query<R extends QueryResultRow = QueryResultRow>(sql: string, params?: readonly unknown[]): Promise<R[]>;
  /** A connection of its own, for transactions; ends with `await using` or `end()`. */
  connect(): Promise<Client & AsyncDisposable>;
  close(): Promise<void>;
}

/** Times as UTC and floats in full, so that a text of a row means the same on both sides. */
const SESSION = '-c timezone=UTC -c extra_float_digits=1';

const MAX_CONNECTIONS = 4;

export const openDatabase = (region: string, dsn: string): TestDatabase => {
  const url = new URL(dsn);
  const settings = { connectionString: dsn, options: SESSION, application_name: 'xcrepl-test' };
  const pool = new Pool({ ...settings, max: MAX_CONNECTIONS });
  // A test may kill the server below an idle connection; the next query says so.
  pool.on('error', () => undefined);
  return {
    region,
    dsn,
    database: url.pathname.slice(1),
    port: Number(url.port),
    async query<R extends QueryResultRow>(sql: string, params?: readonly unknown[]) {
      const result = await pool.query<R>(sql, params === undefined ? undefined : [...params]);
      return (Array.isArray(result) ? (result as { rows: R[] }[]).at(-1)?.rows : result.rows) ?? [];
    },
    async connect() {
      const client = new Client(settings);
      client.on('error', () => undefined);
      await client.connect();
      return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
    },
    close: () => pool.end(),
  };
};

/** The same server, another database. */
export const withDatabase = (dsn: string, database: string): string => {
  const url = new URL(dsn);
  url.pathname = `/${database}`;
  return url.href;
};
