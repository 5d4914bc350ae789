/**
 * Applies batches to the target: rows, counts, epoch and takeover check, checkpoint and origin position in one
 * transaction, sent as one pipelined write. A batch goes as a set first; what a constraint or a missing row refuses
 * goes again in the order of the source, and what is refused even then stops the stream with the row's place.
 */

import type { Batch, Variant } from '../../../core/change/batch.ts';
import { netEffect } from '../../../core/change/coalesce.ts';
import { formatLsn, maxLsn, minLsn, parseLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import type { Applied, ChangeSink } from '../../../core/replication/ports.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Clock } from '../../../core/time/clock.ts';
import type { WireConnection } from '../wire/connection.ts';
import { exchange, simpleQuery, type Answer } from '../wire/exchange.ts';
import { MessageWriter } from '../wire/messages.ts';
import { isOfStatement, isRowRefusal, ServerError } from '../wire/server-error.ts';
import { Statements } from '../wire/statements.ts';
import { applyOrdered } from './ordered-batch.ts';
import { PendingCounts } from './pending-counts.ts';
import { blameLinks } from './refused-links.ts';
import { missesRows, rowsGone, writeNetEffects, type Expected } from './set-apply.ts';
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
  readonly #pending: PendingCounts;
  #inTransaction = false;
  /** Positions that are committed and not yet known to be durable: source position and the target's insert position. */
  readonly #undurable: { readonly position: Lsn; readonly written: Lsn }[] = [];
  #durable: Lsn = ZERO_LSN;

  constructor(connection: WireConnection, options: SinkOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#pending = new PendingCounts(options.clock);
  }

  async apply(batch: Batch): Promise<Applied> {
    for (const [route, counts] of batch.counts) this.#pending.add(route, counts);
    const effects = netEffect(batch, (variant) => this.#options.tableOf(variant).keepsRow);
    const asSet = effects !== null && effects.every(({ variant }) => !this.#options.tableOf(variant).ordered);
    if (!asSet) return { conflicts: await this.#inOrder(batch), fellBack: false };
    const writer = this.#writer;
    const begun = this.#begin(
      writer,
      effects.some(({ variant }) => this.#options.tableOf(variant).deferrable),
    );
    const expected = writeNetEffects(writer, this.#statements, batch, effects, (variant) =>
      this.#options.tableOf(variant),
    );
    // Rows that are not there must be found before the commit: by the statements, or by a look at their tags.
    const looks = expected.some(({ kind }) => kind === 'update');
    if (!looks) this.#finish(writer, batch);
    let answer = await exchange(this.#connection, writer.sync().take());
    const tags = answer.tags.slice(begun);
    const misses = looks && !answer.error && missesRows(expected, tags);
    if (looks && !answer.error && !misses) {
      this.#finish(writer, batch);
      answer = await exchange(this.#connection, writer.sync().take());
    }
    const { error } = answer;
    if (!error && !misses) {
      this.#settled(batch, answer);
      return { conflicts: this.#missing(expected, tags), fellBack: false };
    }
    await this.#rollBack(batch);
    if (error && error.sqlState !== 'XC020' && !isOfStatement(error)) throw this.#refused(error);
    return { conflicts: await this.#inOrder(batch), fellBack: true };
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

  /**
   * The source position that no crash of the target can take back: committed there, and past the flushed log of the
   * target and of its physical standbys (CORRECTNESS 18).
   */
  async durable(): Promise<Lsn> {
    if (this.#undurable.length === 0 || this.#inTransaction) return this.#durable;
    const { rows } = await simpleQuery(this.#connection, FLUSHED);
    const flushed = (rows[0] ?? [])
      .filter((value) => value !== null)
      .map(parseLsn)
      .reduce(minLsn);
    this.#noteFlushed(flushed);
    return this.#durable;
  }

  /**
   * Makes everything committed so far durable now, instead of at the target's next background flush. A commit waits for
   * the disk only where its transaction wrote to the log: one that merely has an id does not (xact.c,
   * RecordTransactionCommit).
   */
  async flush(): Promise<void> {
    if (this.#inTransaction || this.#undurable.length === 0) return;
    await simpleQuery(
      this.#connection,
      "BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_logical_emit_message(true, 'xcrepl', 'flush'); COMMIT",
    );
  }

  get hasUndurable(): boolean {
    return this.#undurable.length > 0;
  }

  /** Writes counts that are still held back; called at the end of a session. */
  async flushCounts(): Promise<void> {
    const sql = this.#pending.takeSql(true);
    if (sql !== null) await simpleQuery(this.#connection, sql);
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
    this.#undurable.push({ position, written: parseLsn(answer.rows.at(-1)?.[0] ?? '') });
  }

  #noteFlushed(flushed: Lsn): void {
    while (this.#undurable[0] && this.#undurable[0].written <= flushed) {
      this.#durable = maxLsn(this.#durable, this.#undurable.shift()!.position);
    }
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

const WAL_POSITIONS = 'SELECT pg_current_wal_insert_lsn()';

/** What the target, and every physical standby that streams from it, has on disk. */
const FLUSHED =
  'SELECT pg_current_wal_flush_lsn(), (SELECT min(r.flush_lsn) FROM pg_stat_replication r' +
  " WHERE NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'))";
