/** The database that a snapshot is taken of: one held snapshot, and sessions that read parts under it side by side. */

import type { Client } from 'pg';
import { rowScope, tablesOf } from '../../../core/plan/scope.ts';
import { copyPlan } from '../../../core/replication/column-actions.ts';
import type { PlannedPart, TableExtent } from '../../../core/snapshot/part-layout.ts';
import type { SnapshotFormat } from '../../../core/snapshot/manifest.ts';
import type { Clock } from '../../../core/time/clock.ts';
import type { Link } from '../../../core/topology/link.ts';
import type { TableFacts, TableName } from '../../../core/topology/table.ts';
import { connect, disconnect } from '../connect.ts';
import { takeSessionLock } from '../engine/lock.ts';
import { asXcError } from '../engine/retry.ts';
import { readIdentity, type ServerIdentity } from '../identity.ts';
import { ident, literal, rowsOf } from '../quote.ts';
import { WireConnection } from '../wire/connection.ts';
import { simpleQuery } from '../wire/exchange.ts';
import { copyOut } from './copy-out.ts';
import { holdTables, lockTables, partPredicate, readExtents, type HeldTables } from './held-tables.ts';
import { partRows } from './part-rows.ts';

export interface SourceOptions {
  readonly dsn: string;
  readonly region: string;
  readonly database: string;
  readonly applicationName: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A part that is read: its bytes, and behind the last of them how many rows they were. */
export interface PartBody {
  readonly body: AsyncIterable<Uint8Array>;
  readonly rows: () => number;
}

/**
 * A policy of row security would hide rows in silence; the server refuses instead. A scan begins at a table's first page,
 * so that a part that is read again has its rows in the same order.
 */
const SETTINGS = {
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  row_security: 'off',
  synchronize_seqscans: 'off',
};

/** "xp" in the upper bits keeps these keys apart from those of streams and recordings. */
const lockKeyOf = (request: string): string =>
  ((0x7870n << 40n) | BigInt(`0x${request.slice(0, 10)}`)).toString();

export class SnapshotSource implements AsyncDisposable {
  readonly #options: SourceOptions;
  readonly #client: Client;
  readonly #idle: WireConnection[] = [];
  readonly #opened = new Set<WireConnection>();
  #held: HeldTables | null = null;

  private constructor(options: SourceOptions, client: Client) {
    this.#options = options;
    this.#client = client;
  }

  static async open(options: SourceOptions): Promise<SnapshotSource> {
    return new SnapshotSource(options, await session(options));
  }

  /** @param request hex digest of what is asked for. @throws XcError XC-7002 while another process makes the same */
  async lock(request: string, waitMs: number): Promise<void> {
    const { clock, signal } = this.#options;
    const wanted = { key: lockKeyOf(request), subject: 'snapshot', facts: { request } };
    await takeSessionLock(this.#client, wanted, waitMs, clock, signal);
  }

  async identity(): Promise<ServerIdentity> {
    const { region } = this.#options;
    return await readIdentity(this.#client, region, () => session(this.#options, true));
  }

  async hold(isWanted: (table: TableName) => boolean): Promise<HeldTables> {
    return (this.#held = await this.#typed(async () => await holdTables(this.#client, isWanted)));
  }

  /** Tables of the link; locked until this source is closed. @throws XcError XC-2010, XC-6120 */
  async tables(link: Link): Promise<readonly TableFacts[]> {
    const tables = tablesOf(link, this.#holding.catalogue);
    await this.#typed(async () => await lockTables(this.#client, tables));
    return tables;
  }

  async extents(tables: readonly TableFacts[]): Promise<TableExtent[]> {
    return await this.#typed(async () => await readExtents(this.#client, tables));
  }

  /** Reads one part. A session is busy with it until the body ends. */
  async read(
    part: PlannedPart,
    of: {
      readonly link: Link;
      readonly hashKeys: ReadonlyMap<string, Uint8Array>;
      readonly format: SnapshotFormat;
    },
  ): Promise<PartBody> {
    const { link, hashKeys, format } = of;
    const { catalogue } = this.#holding;
    const table = catalogue.tables.get(part.table)!;
    const { plan } = copyPlan(link, table, { source: catalogue, hashKeys });
    const read = plan.plain ? plan.columns : plan.fields.map((field) => field.name);
    const types = plan.columns.map((name) => table.columns.find((one) => one.name === name)?.typeName ?? '');
    const rows = partRows(format, plan, types, link.id);
    const where = partPredicate(rowScope(link), part.pages);
    const sql = `COPY (SELECT ${read.map(ident).join(', ')} FROM ${rowsOf(table)} WHERE ${where}) TO STDOUT (FORMAT text)`;
    const connection = await this.#reader();
    return { rows: rows.rows, body: this.#body(connection, sql, rows) };
  }

  async *#body(
    connection: WireConnection,
    sql: string,
    rows: ReturnType<typeof partRows>,
  ): AsyncGenerator<Uint8Array> {
    let isWhole = false;
    try {
      yield* copyOut(connection, sql, rows);
      isWhole = true;
    } catch (error) {
      throw asXcError(error, this.#options.region);
    } finally {
      if (isWhole) this.#idle.push(connection);
      else {
        connection.destroy();
        this.#opened.delete(connection);
      }
    }
  }

  async #reader(): Promise<WireConnection> {
    const idle = this.#idle.pop();
    if (idle) return idle;
    return await this.#typed(async () => {
      const connection = WireConnection.take(await session(this.#options));
      this.#opened.add(connection);
      const name = literal(this.#holding.name);
      await simpleQuery(
        connection,
        `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${name}`,
      );
      return connection;
    });
  }

  get #holding(): HeldTables {
    if (!this.#held) throw new TypeError('no snapshot is held');
    return this.#held;
  }

  async #typed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asXcError(error, this.#options.region);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#opened].map((connection) => connection[Symbol.asyncDispose]()));
    await disconnect(this.#client);
  }
}

const session = async (options: SourceOptions, replication = false): Promise<Client> =>
  await connect(options.dsn, {
    subject: options.region,
    database: options.database,
    applicationName: options.applicationName,
    settings: SETTINGS,
    signal: options.signal,
    ...(replication ? { replication: 'database' as const } : {}),
  });
