/**
 * Copies chunks of tables: reads under a held snapshot, writes chunk and its record in one transaction of the target. A
 * chunk is either there with its record or not at all, so a killed run leaves nothing to clean up.
 */

import { formatLsn } from '../../../core/change/lsn.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { Pace } from '../../../core/replication/pace.ts';
import type { TableName } from '../../../core/topology/table.ts';
import { literal } from '../quote.ts';
import { relayCopy, type Relayed, type Throttle } from '../source/copy-relay.ts';
import { binaryTransform, textTransform, type TenantCounter } from '../source/row-transforms.ts';
import type { WireConnection } from '../wire/connection.ts';
import { simpleQuery } from '../wire/exchange.ts';
import { ServerError } from '../wire/server-error.ts';
import type { CopyGroup } from './copy-groups.ts';
import { expectStanding, type Standing } from './copy-stands.ts';
import type { HeldSnapshot } from './snapshots.ts';
import type { Sessions } from './sessions.ts';

export interface ChunkWork {
  readonly slot: string;
  readonly table: TableName;
  readonly chunk: number;
  readonly group: CopyGroup;
  readonly sql: { readonly source: string; readonly target: string };
  readonly text: boolean;
  readonly standing: Standing;
  /** Tenant values as they are sent, latin1, to tell links apart; null where the group has one link. */
  readonly tenants: { readonly field: number; readonly links: ReadonlyMap<string, LinkId> } | null;
}

export class CopyWorker implements AsyncDisposable {
  readonly #source: WireConnection;
  readonly #target: WireConnection;
  /** pg_current_snapshot() of what this worker reads. */
  readonly snapshot: string;
  readonly #position: string;
  readonly #run: string;
  readonly #held: HeldSnapshot;
  readonly #pace: Pace | null;

  private constructor(
    source: WireConnection,
    target: WireConnection,
    snapshot: string,
    held: HeldSnapshot,
    run: string,
    pace: Pace | null,
  ) {
    this.#pace = pace;
    this.#source = source;
    this.#target = target;
    this.snapshot = snapshot;
    this.#held = held;
    this.#position = formatLsn(held.position);
    this.#run = run;
  }

  /** @param settings of both sessions, beside those that their kind has */
  static async open(
    sessions: Sessions,
    held: HeldSnapshot,
    run: string,
    settings: Readonly<Record<string, string>> = {},
    pace: Pace | null = null,
  ): Promise<CopyWorker> {
    const opened = new AsyncDisposableStack();
    try {
      const source = opened.use(await sessions.wire('source', 'reader', settings));
      const target = opened.use(await sessions.wire('target', 'copier', settings));
      await begin(source, held);
      const { rows } = await simpleQuery(source, 'SELECT pg_current_snapshot(); COMMIT');
      opened.move();
      return new CopyWorker(source, target, rows[0]?.[0] ?? '', held, run, pace);
    } catch (error) {
      await opened.disposeAsync();
      throw error;
    }
  }

  /** Single values read under the snapshot, as text. */
  async read(sql: string): Promise<(string | null)[]> {
    await begin(this.#source, this.#held);
    const { rows } = await simpleQuery(this.#source, `${sql}; COMMIT`);
    return rows.map((row) => row[0] ?? null);
  }

  /**
   * @param clear statement of the target that makes room for the rows, in their transaction
   * @throws ServerError, XcError, among them XC-5207 where the table was altered meanwhile; after one the worker is of no use
   */
  async copy(
    work: ChunkWork,
    signal: AbortSignal,
    clear: string | null = null,
  ): Promise<Relayed & { readonly cleared: number }> {
    const links = work.group.links.map(({ id }) => id);
    using _place = await this.#pace?.job(links, signal);
    const counter: TenantCounter = {
      field: work.tenants?.field ?? null,
      links: work.tenants?.links ?? new Map([['', work.group.links[0]!.id]]),
      counts: new Map(),
    };
    const untouched = work.group.plan.plain && work.tenants === null;
    const transform = untouched
      ? null
      : (work.text ? textTransform : binaryTransform)(work.group.plan, counter);
    const [, { tags }] = await Promise.all([
      begin(this.#source, this.#held),
      simpleQuery(this.#target, clear === null ? 'BEGIN' : `BEGIN; ${clear}`),
    ]);
    const throttle = this.#pace && throttleOf(this.#pace, untouched ? links[0]! : counter, signal);
    const relayed = await relayCopy(this.#source, this.#target, work.sql, transform, signal, throttle);
    if (untouched) counter.counts.set(work.group.links[0]!.id, relayed);
    const { files, columns } = work.standing;
    const { rows } = await simpleQuery(this.#source, `${files}; COMMIT; ${columns}`);
    expectStanding(work.standing, rows);
    await simpleQuery(this.#target, this.#record(work, relayed, counter));
    return { ...relayed, cleared: Number(tags[1]?.split(' ')[1] ?? 0) };
  }

  /** Records a chunk whose rows are on the target as they are: it needs no copy. */
  async keep(work: ChunkWork): Promise<void> {
    const nothing = { field: null, links: new Map(), counts: new Map() };
    await simpleQuery(this.#target, `BEGIN;${this.#record(work, { rows: 0, bytes: 0 }, nothing)}`);
  }

  #record(work: ChunkWork, relayed: Relayed, counter: TenantCounter): string {
    const { slot, table, chunk } = work;
    const counts = [...counter.counts].map(
      ([link, { rows, bytes }]) => `(${literal(link)}, ${literal(table)}, ${rows}, ${bytes})`,
    );
    const links =
      counts.length === 0
        ? ''
        : `
      INSERT INTO xcrepl.link_tables AS l (link, table_name, copied_rows, copied_bytes) VALUES ${counts.join(', ')}
      ON CONFLICT (link, table_name) DO UPDATE SET copied_rows = l.copied_rows + excluded.copied_rows,
        copied_bytes = l.copied_bytes + excluded.copied_bytes;`;
    return `
      SELECT xcrepl.finish_chunk(${literal(slot)}, ${literal(table)}, ${chunk}, ${literal(this.#run)}, ${literal(this.snapshot)},
                                 ${literal(this.#position)}, ${relayed.rows}, ${relayed.bytes});${links}
      COMMIT`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#source[Symbol.asyncDispose](), this.#target[Symbol.asyncDispose]()]);
  }
}

/** @param of the one link, or the counts of several, which grow as rows pass */
const throttleOf = (pace: Pace, of: LinkId | TenantCounter, signal: AbortSignal): Throttle => {
  if (typeof of === 'string') return (bytes) => pace.spend(of, bytes, signal);
  const told = new Map<LinkId, number>();
  return () => {
    const waits: Promise<void>[] = [];
    for (const [link, { bytes }] of of.counts) {
      const wait = pace.spend(link, bytes - (told.get(link) ?? 0), signal);
      told.set(link, bytes);
      if (wait) waits.push(wait);
    }
    return waits.length === 0 ? null : Promise.all(waits).then(() => undefined);
  };
};

/**
 * A transaction for each read, so that no lock is held between two of them: a TRUNCATE or ALTER TABLE of the application
 * would wait for it, what the application does with the table would wait for that, and in the end so would we.
 * @throws XcError XC-6001 when the session that holds the snapshot is gone
 */
const begin = async (source: WireConnection, held: HeldSnapshot): Promise<void> => {
  try {
    await simpleQuery(
      source,
      `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT ${literal(held.name)}`,
    );
  } catch (error) {
    if (!(error instanceof ServerError) || !SNAPSHOT_GONE.has(error.sqlState)) throw error;
    throw new XcError('XC-6001', { subject: `snapshot ${held.name}`, why: error.message, cause: error });
  }
};

/** undefined_object since PostgreSQL 17, invalid_parameter_value before. */
export const SNAPSHOT_GONE: ReadonlySet<string> = new Set(['42704', '22023']);
