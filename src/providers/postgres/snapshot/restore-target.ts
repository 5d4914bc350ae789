/** The database that a snapshot is restored into: parts side by side, each with its record in one transaction. */

import type { Client } from 'pg';
import { rowScope } from '../../../core/plan/scope.ts';
import type { SnapshotPart, SnapshotTable } from '../../../core/snapshot/manifest.ts';
import { RowsDigest } from '../../../core/snapshot/rows-digest.ts';
import type { Link } from '../../../core/topology/link.ts';
import type { TableFacts, TableName } from '../../../core/topology/table.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { connect, disconnect } from '../connect.ts';
import { clearStatements } from '../engine/existing-rows.ts';
import { takeSessionLock } from '../engine/lock.ts';
import { asXcError } from '../engine/retry.ts';
import { ident, literal, qualified, rowsOf } from '../quote.ts';
import type { RowTransform } from '../source/copy-relay.ts';
import { WireConnection } from '../wire/connection.ts';
import { simpleQuery } from '../wire/exchange.ts';
import { copyIn } from './copy-in.ts';
import { copyOut } from './copy-out.ts';
import { partPredicate } from './held-tables.ts';
import type { SourceOptions } from './snapshot-source.ts';

/** As the copy of a stream writes: triggers and foreign keys as on a replica. */
const SETTINGS = {
  session_replication_role: 'replica',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  row_security: 'off',
};

export interface RestoredPart {
  readonly part: number;
  readonly table: TableName;
  readonly rows: number;
  readonly digest: string;
}

/** "xq" in the upper bits keeps these keys apart from others of ours. */
const lockKeyOf = (id: string, into: string): string =>
  ((0x7871n << 40n) | BigInt.asUintN(40, hashText(`${id} ${into}`))).toString();

const hashText = (text: string): bigint => {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
};

export class RestoreTarget implements AsyncDisposable {
  readonly #options: SourceOptions;
  readonly client: Client;
  readonly #idle: WireConnection[] = [];
  readonly #opened = new Set<WireConnection>();

  private constructor(options: SourceOptions, client: Client) {
    this.#options = options;
    this.client = client;
  }

  static async open(options: SourceOptions): Promise<RestoreTarget> {
    return new RestoreTarget(options, await session(options));
  }

  /** @throws XcError XC-7002 */
  async lock(id: string, into: string, waitMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    const wanted = { key: lockKeyOf(id, into), subject: `restore of ${id}`, facts: { snapshot: id } };
    await takeSessionLock(this.client, wanted, waitMs, clock, signal);
  }

  async tables(names: ReadonlySet<TableName>): Promise<ReadonlyMap<TableName, TableFacts>> {
    return (await readCatalogue(this.client, { tables: (name) => names.has(name) })).tables;
  }

  /** Null where the schema xcrepl is not there, or is older. */
  async restored(id: string, into: string): Promise<RestoredPart[] | null> {
    const { rows: there } = await this.client.query<{ there: boolean }>(
      `SELECT to_regclass('xcrepl.restored_parts') IS NOT NULL AS there`,
    );
    if (!there[0]?.there) return null;
    const { rows } = await this.client.query<{ part: number; table: string; rows: string; digest: string }>(
      `SELECT part, table_name AS "table", rows, digest FROM xcrepl.restored_parts
        WHERE snapshot = $1 AND into_schema = $2`,
      [id, into],
    );
    return rows.map((row) => ({ ...row, rows: Number(row.rows) }));
  }

  async holdsRows(table: TableFacts, link: Link): Promise<boolean> {
    const where = partPredicate(scopeIn(table, link), { from: null, to: null });
    const { rows } = await this.client.query<{ held: boolean }>(
      `SELECT EXISTS (SELECT FROM ${rowsOf(table)} WHERE ${where}) AS held`,
    );
    return rows[0]?.held ?? false;
  }

  /** Deletes the tenant's rows of these tables, and what says that they were restored. */
  async clear(tables: readonly TableFacts[], link: Link, id: string, into: string): Promise<void> {
    await this.client.query('BEGIN');
    try {
      for (const table of tables)
        for (const { sql, values } of clearStatements([link], table)) await this.client.query(sql, values);
      await this.client.query(`DELETE FROM xcrepl.restored_parts WHERE snapshot = $1 AND into_schema = $2`, [
        id,
        into,
      ]);
      await this.client.query('COMMIT');
    } catch (error) {
      await this.client.query('ROLLBACK').catch(() => undefined);
      throw asXcError(error, this.#options.region);
    }
  }

  /** @param body lines of COPY's text format, which add themselves to the digest while they pass */
  async load(
    id: string,
    into: string,
    part: SnapshotPart,
    of: SnapshotTable,
    table: TableFacts,
    body: AsyncIterable<Uint8Array>,
    digest: RowsDigest,
  ): Promise<RestoredPart> {
    return await this.#onConnection(async (connection) => {
      const columns = of.columns.map(({ name }) => ident(name)).join(', ');
      await simpleQuery(connection, 'BEGIN');
      await copyIn(connection, `COPY ${qualified(table)} (${columns}) FROM STDIN (FORMAT text)`, body);
      const record = { part: part.number, table: part.table, rows: digest.rows, digest: String(digest) };
      const values = [
        literal(id),
        literal(into),
        record.part,
        literal(record.table),
        record.rows,
        literal(record.digest),
      ];
      await simpleQuery(
        connection,
        `INSERT INTO xcrepl.restored_parts (snapshot, into_schema, part, table_name, rows, digest)
         VALUES (${values.join(', ')}); COMMIT`,
      );
      return record;
    });
  }

  /** Reads the tenant's rows of a table back. */
  async digestOf(of: SnapshotTable, table: TableFacts, link: Link): Promise<RowsDigest> {
    return await this.#onConnection(async (connection) => {
      const digest = new RowsDigest();
      const rows: RowTransform = {
        row: (bytes, start, end) => digest.add(bytes, start, end),
        take: () => null,
        end: () => null,
      };
      const columns = of.columns.map(({ name }) => ident(name)).join(', ');
      const where = partPredicate(scopeIn(table, link), { from: null, to: null });
      const sql = `COPY (SELECT ${columns} FROM ${rowsOf(table)} WHERE ${where}) TO STDOUT (FORMAT text)`;
      for await (const _nothing of copyOut(connection, sql, rows));
      return digest;
    });
  }

  async #onConnection<T>(work: (connection: WireConnection) => Promise<T>): Promise<T> {
    const connection = this.#idle.pop() ?? WireConnection.take(await session(this.#options));
    this.#opened.add(connection);
    try {
      const result = await work(connection);
      this.#idle.push(connection);
      return result;
    } catch (error) {
      // In the middle of an answer; the server takes the open transaction back.
      connection.destroy();
      this.#opened.delete(connection);
      throw asXcError(error, this.#options.region);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#opened].map((connection) => connection[Symbol.asyncDispose]()));
    await disconnect(this.client);
  }
}

/** A table of a schema of its own has the tenant's column too, as every table of a tenant that is scoped by one. */
const scopeIn = (table: TableFacts, link: Link): ReturnType<typeof rowScope> => {
  const scope = rowScope(link);
  return scope && table.columns.some(({ name }) => name === scope.column) ? scope : null;
};

const session = async (options: SourceOptions): Promise<Client> =>
  await connect(options.dsn, {
    subject: options.region,
    database: options.database,
    applicationName: options.applicationName,
    settings: SETTINGS,
    signal: options.signal,
  });
