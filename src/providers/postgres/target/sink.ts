/**
 * Applies batches to the target: rows, counts, epoch and takeover check, checkpoint and origin position in one
 * transaction, sent as one pipelined write. A batch goes as sets first; the table whose set a constraint or a missing
 * row refuses goes again in the order of the source, and what is refused even then stops the stream with the row's place.
 */

import type { Batch, Variant } from '../../../core/change/batch.ts';
import { netEffect, type Place } from '../../../core/change/coalesce.ts';
import { KeyStates } from '../../../core/change/key-states.ts';
import { formatLsn, parseLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import type { Applied, ChangeSink } from '../../../core/replication/ports.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Clock } from '../../../core/time/clock.ts';
import type { WireConnection } from '../wire/connection.ts';
import { exchange, simpleQuery, type Answer } from '../wire/exchange.ts';
import { MessageWriter } from '../wire/messages.ts';
import { isOfStatement, isRowRefusal, ServerError } from '../wire/server-error.ts';
import { Statements } from '../wire/statements.ts';
import { DurablePositions } from './durable-positions.ts';
import { applyOrdered } from './ordered-batch.ts';
import { PendingCounts } from './pending-counts.ts';
import { blameLinks } from './refused-links.ts';
import { missingRows, rowsGone, writeNetEffects, type Expected } from './set-apply.ts';
import type { TargetTable } from './target-table.ts';

export interface SinkOptions {
  readonly slot: string;
  /** Fencing name of this run, as xcrepl.advance() compares it. */
  readonly runner: string;
  readonly epoch: number;
  /** Replication origin that is set up in this session, or null where the server does not allow it. */
  readonly origin: string | null;
  readonly clock: Clock;
  tableOf(variant: Variant): TargetTable;
  formatsOf(variant: Variant): readonly (0 | 1)[];
  /** Reads a row again at the source, redacted; null where it is gone. Fields as in a written row. */
  reread(batch: Batch, index: number): Promise<readonly (Uint8Array | null)[] | null>;
}

export class PostgresSink implements ChangeSink {
  readonly #connection: WireConnection;
  readonly #options: SinkOptions;
  readonly #statements = new Statements();
  /** For whole batches: one at a time, and its memory serves all of them. */
  readonly #writer = new MessageWriter();
  readonly #keys = new KeyStates();
  readonly #pending: PendingCounts;
  #inTransaction = false;
  readonly #durable: DurablePositions;

  constructor(connection: WireConnection, options: SinkOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#pending = new PendingCounts(options.clock);
    this.#durable = new DurablePositions(connection);
  }

  async apply(batch: Batch): Promise<Applied> {
    for (const [route, counts] of batch.counts) this.#pending.add(route, counts);
    const apart = new Set<string>();
    while (apart.size <= MOST_APART) {
      const { conflicts, refused } = await this.#asSets(batch, apart);
      if (conflicts !== null) return { conflicts, fellBack: apart.size > 0 };
      if (refused === null) break;
      apart.add(this.#options.tableOf(refused).copySql);
    }
    return { conflicts: await this.#inOrder(batch), fellBack: true };
  }

  /**
   * Applies a batch by its net effect, and what needs the source's order behind it.
   * @param apart tables that need it, beside those that always do
   * @returns conflicts, or null where the target refused something: then whose set, where it was one
   */
  async #asSets(
    batch: Batch,
    apart: ReadonlySet<string>,
  ): Promise<{ readonly conflicts: number | null; readonly refused: Variant | null }> {
    const { effects, inOrder } = netEffect(batch, (variant) => this.#placeOf(variant, apart), this.#keys);
    if (effects.length === 0 && inOrder.size > 0)
      return { conflicts: await this.#inOrder(batch), refused: null };
    const writer = this.#writer;
    const begun = this.#begin(
      writer,
      inOrder.size > 0 || effects.some(({ variant }) => this.#options.tableOf(variant).deferrable),
    );
    const expected = writeNetEffects(writer, this.#statements, batch, effects, (variant) =>
      this.#options.tableOf(variant),
    );
    // Rows that are not there must be found before the commit: by the statements, or by a look at their tags.
    const looks = inOrder.size > 0 || expected.some(({ kind }) => kind === 'update');
    if (!looks) this.#finish(writer, batch);
    let answer = await exchange(this.#connection, writer.sync().take());
    const tags = answer.tags.slice(begun);
    const refused = (answer.error ? expected[tags.length] : looks ? missingRows(expected, tags) : null)
      ?.variant;
    let conflicts: number | null = 0;
    if (looks && !answer.error && !refused) {
      conflicts = await this.#thenInOrder(batch, inOrder);
      if (conflicts !== null) {
        this.#finish(writer, batch);
        answer = await exchange(this.#connection, writer.sync().take());
      }
    }
    const { error } = answer;
    if (!error && !refused && conflicts !== null) {
      this.#settled(batch, answer);
      return { conflicts: conflicts + this.#missing(expected, tags), refused: null };
    }
    await this.#rollBack(batch);
    if (error && error.sqlState !== 'XC020' && !isOfStatement(error)) throw this.#refused(error);
    return { conflicts: null, refused: refused ?? null };
  }

  /** Stores a position that no row came with: from then on a restart begins there. */
  async advance(position: Lsn, sourceMs: number | null): Promise<void> {
    const writer = new MessageWriter();
    this.#statement(writer, 'BEGIN');
    this.#writePosition(writer, position, sourceMs);
    this.#statement(writer, 'COMMIT');
    this.#statement(writer, WAL_POSITIONS);
    const answer = await exchange(this.#connection, writer.sync().take());
    if (answer.error) {
      await this.#rollBack(null);
      throw this.#refused(answer.error);
    }
    this.#noteWritten(position, answer);
  }

  async durable(): Promise<Lsn> {
    return this.#inTransaction ? this.#durable.position : await this.#durable.ask();
  }

  /**
   * Makes everything committed so far durable now, instead of at the target's next background flush. A commit waits for
   * the disk only where its transaction wrote to the log: one that merely has an id does not (xact.c,
   * RecordTransactionCommit).
   */
  async flush(): Promise<void> {
    if (this.#inTransaction || !this.#durable.awaited) return;
    await simpleQuery(
      this.#connection,
      "BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_logical_emit_message(true, 'xcrepl', 'flush'); COMMIT",
    );
  }

  get hasUndurable(): boolean {
    return this.#durable.awaited;
  }

  /** Writes counts that are still held back; called at the end of a session. */
  async flushCounts(): Promise<void> {
    const sql = this.#pending.takeSql(true);
    if (sql !== null) await simpleQuery(this.#connection, sql);
  }

  /**
   * Applies the changes of these variants, behind the others' net effects in one transaction.
   * @returns conflicts among them, or null where the target refuses some change: the whole batch in order tells which
   */
  async #thenInOrder(batch: Batch, variants: ReadonlySet<Variant>): Promise<number | null> {
    if (variants.size === 0) return 0;
    try {
      const ports = { ...this.#options, variants };
      const conflicts = await applyOrdered(this.#connection, this.#statements, batch, ports);
      if (conflicts > 0)
        this.#pending.conflict(
          batch.route.find(({ variant }) => variants.has(variant)),
          conflicts,
        );
      return conflicts;
    } catch (error) {
      if (this.#connection.failure) throw error;
      return null;
    }
  }

  async #inOrder(batch: Batch): Promise<number> {
    const writer = new MessageWriter();
    this.#begin(writer, true);
    const begun = await exchange(this.#connection, writer.sync().take());
    if (begun.error) throw this.#refused(begun.error);
    try {
      const conflicts = await applyOrdered(this.#connection, this.#statements, batch, this.#options);
      const end = new MessageWriter();
      this.#finish(end, batch);
      const answer = await exchange(this.#connection, end.sync().take());
      if (answer.error) throw this.#refused(answer.error);
      this.#settled(batch, answer);
      if (conflicts > 0) this.#pending.conflict(batch.route[0], conflicts);
      return conflicts;
    } catch (error) {
      await this.#rollBack(batch);
      throw this.#inTransaction || batch.open
        ? error
        : await blameLinks(error, this.#connection, this.#statements, batch, this.#options);
    }
  }

  #placeOf(variant: Variant, apart: ReadonlySet<string>): Place {
    const { copySql: name, keepsRow, ordered } = this.#options.tableOf(variant);
    return { name, keepsRow, ordered: ordered === 'nothing' && apart.has(name) ? 'table' : ordered };
  }

  /** Opens the transaction, or a savepoint in one that earlier batches opened. @returns number of tags that it gives */
  #begin(writer: MessageWriter, deferrable: boolean): number {
    this.#statement(writer, this.#inTransaction ? 'SAVEPOINT xcrepl' : 'BEGIN');
    if (!deferrable) return 1;
    this.#statement(writer, 'SET CONSTRAINTS ALL DEFERRED');
    return 2;
  }

  /** Ends a batch: an open one keeps its transaction, a whole one commits with checkpoint and counts. */
  #finish(writer: MessageWriter, batch: Batch): void {
    if (batch.open) {
      if (this.#inTransaction) this.#statement(writer, 'RELEASE SAVEPOINT xcrepl');
      return;
    }
    const counts = this.#pending.takeSql(false);
    if (counts !== null) writer.parse('', counts).bind('', [], 'text').execute();
    this.#writePosition(writer, batch.position, batch.commitsMs.at(-1) ?? null);
    this.#statement(writer, 'COMMIT');
    this.#statement(writer, WAL_POSITIONS);
  }

  #writePosition(writer: MessageWriter, position: Lsn, commitMs: number | null): void {
    const { slot, runner, epoch, origin } = this.#options;
    const commit = commitMs === null ? null : new Date(commitMs).toISOString();
    const advance = this.#statements.prepare(
      writer,
      'SELECT xcrepl.advance($1, $2, $3, $4, $5)',
      [25, 25, 20, 3220, 1184],
    );
    writer.bind(advance, [slot, runner, String(epoch), formatLsn(position), commit], 'text').execute();
    if (origin === null || position === ZERO_LSN) return;
    const setup = this.#statements.prepare(
      writer,
      'SELECT pg_replication_origin_xact_setup($1, $2)',
      [3220, 1184],
    );
    writer
      .bind(
        setup,
        [formatLsn(position), commit ?? new Date(this.#options.clock.nowMs()).toISOString()],
        'text',
      )
      .execute();
  }

  #statement(writer: MessageWriter, sql: string): void {
    writer.bind(this.#statements.prepare(writer, sql), [], 'text').execute();
  }

  #settled(batch: Batch, answer: Answer): void {
    this.#inTransaction = batch.open;
    if (!batch.open) this.#noteWritten(batch.position, answer);
  }

  /** The last row of the answer is the target's insert position after the commit: an upper bound of the commit's. */
  #noteWritten(position: Lsn, answer: Answer): void {
    this.#durable.committed(position, parseLsn(answer.rows.at(-1)?.[0] ?? ''));
  }

  #missing(expected: readonly Expected[], tags: readonly string[]): number {
    let missing = 0;
    for (const [index, one] of expected.entries()) {
      const gone = rowsGone(one, tags[index]);
      if (gone > 0) this.#pending.conflictIn(one.variant, gone);
      missing += gone;
    }
    return missing;
  }

  async #rollBack(batch: Batch | null): Promise<void> {
    if (this.#connection.failure) throw this.#connection.failure;
    const writer = new MessageWriter();
    writer.query(this.#inTransaction && batch !== null ? 'ROLLBACK TO SAVEPOINT xcrepl' : 'ROLLBACK');
    this.#statements.forget(writer);
    await exchange(this.#connection, writer.take(), 2);
    this.#pending.restore();
  }

  #refused(error: ServerError): unknown {
    const { slot } = this.#options;
    switch (error.sqlState) {
      case 'XC008':
        return new XcError('XC-3002', { subject: slot, why: error.message });
      case 'XC011':
        return new XcError('XC-7002', {
          subject: slot,
          why: error.message,
          next: 'end this run; the other one goes on',
        });
      default:
        return isRowRefusal(error)
          ? new XcError('XC-5204', {
              subject: error.table ?? slot,
              why: `constraint ${error.constraint ?? 'unknown'}, SQLSTATE ${error.sqlState}`,
              cause: error,
            })
          : error;
    }
  }
}

/** Tables of one batch whose sets may be refused before all of it goes in order: each costs another attempt. */
const MOST_APART = 3;

const WAL_POSITIONS = 'SELECT pg_current_wal_insert_lsn()';
