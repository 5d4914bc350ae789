/**
 * A change log as the sink of the change loop: what it says is durable stands in the file and on the disk, and only that
 * is acknowledged at the source. A transaction is a begin, its changes and a commit; one of which nothing is the link's
 * leaves no line.
 */

import { type Batch, INSERT, type Variant } from '../change/batch.ts';
import { formatLsn, type Lsn } from '../change/lsn.ts';
import { fieldOffsets, UNCHANGED_FIELD } from '../change/tuple-plan.ts';
import { readInt32 } from '../change/pgoutput.ts';
import type { Applied, ChangeSink } from '../replication/ports.ts';
import type { LogWriter } from './log-writer.ts';
import type { TableDraft } from './logged-table.ts';
import type { LoggedValue } from './records.ts';
import { microsText } from './time-text.ts';
import type { TransactionMark, TransactionMarks } from './transaction-marks.ts';
import { changeRecord } from './write-changes.ts';

export interface LogSinkPorts {
  readonly marks: TransactionMarks;
  tableOf(variant: Variant): TableDraft;
  /**
   * Reads a row again at the source, redacted: one that moved into the link without its large values. Null where it is
   * gone.
   */
  reread(batch: Batch, index: number): Promise<readonly LoggedValue[] | null>;
}

/** Lines of small transactions go to the file together; this much is not held back any longer. */
const WRITE_BYTES = 1024 * 1024;

const APPLIED: Applied = { conflicts: 0, fellBack: false };

export class LogSink implements ChangeSink {
  readonly #writer: LogWriter;
  readonly #ports: LogSinkPorts;
  /** A transaction whose begin is not written: it is once it has a change. */
  #begun: Extract<TransactionMark, { kind: 'begin' }> | null = null;
  /** Changes of the transaction that is being written. */
  #changes = 0;
  /** Rows that were gone when they were read again: nothing is said of them until their delete has passed. */
  readonly #gone = new Set<string>();

  constructor(writer: LogWriter, ports: LogSinkPorts) {
    this.#writer = writer;
    this.#ports = ports;
  }

  async apply(batch: Batch): Promise<Applied> {
    let next = 0;
    for (const mark of this.#ports.marks.take(batch)) {
      await this.#changesUpTo(batch, next, mark.at);
      next = mark.at;
      if (mark.kind === 'begin') this.#begun = mark;
      else await this.#end(mark);
    }
    await this.#changesUpTo(batch, next, batch.size);
    if (!batch.open && batch.position > this.#writer.position) this.#addPosition(batch.position, null);
    await this.#writer.write();
    return APPLIED;
  }

  async advance(position: Lsn, sourceMs: number | null): Promise<void> {
    this.#addPosition(position, sourceMs);
    await this.#writer.write();
  }

  #addPosition(position: Lsn, sourceMs: number | null): void {
    const at = sourceMs === null ? null : microsText(BigInt(Math.round(sourceMs)) * 1_000n);
    this.#writer.add({ t: 'position', lsn: formatLsn(position), at });
    this.#writer.ended(position);
  }

  async durable(): Promise<Lsn> {
    await this.#writer.synchronise();
    return this.#writer.synchronised;
  }

  async flush(): Promise<void> {
    await this.#writer.synchronise();
  }

  /** A log counts nothing beside its lines. */
  flushCounts(): Promise<void> {
    return Promise.resolve();
  }

  get hasUndurable(): boolean {
    return this.#writer.synchronised < this.#writer.position;
  }

  async #changesUpTo(batch: Batch, from: number, to: number): Promise<void> {
    for (let index = from; index < to; index++) await this.#change(batch, index);
  }

  async #change(batch: Batch, index: number): Promise<void> {
    const row = await this.#completed(batch, index);
    if (row === 'gone') return;
    if (this.#begun) {
      this.#writer.add({ t: 'begin', lsn: formatLsn(this.#begun.commitLsn), xid: this.#begun.xid });
      this.#begun = null;
    }
    const table = this.#writer.tableNumber(this.#ports.tableOf(batch.route[index]!.variant));
    this.#writer.add(changeRecord(batch, index, table, row ?? undefined));
    this.#changes++;
  }

  /** The row's values where they had to be read again, null where the batch has what is needed. */
  async #completed(batch: Batch, index: number): Promise<readonly LoggedValue[] | 'gone' | null> {
    const incomplete = batch.rowEnd[index]! > batch.rowStart[index]! && hasUnchanged(batch, index);
    if (!incomplete && this.#gone.size === 0) return null;
    const key = keyOf(batch, index);
    // Its delete, or a row that came whole: from then on it is like any other.
    if (!incomplete) this.#gone.delete(key);
    if (!incomplete) return null;
    if (batch.operation[index] !== INSERT) return this.#gone.has(key) ? 'gone' : null;
    const row = await this.#ports.reread(batch, index);
    if (row) return row;
    this.#gone.add(key);
    return 'gone';
  }

  async #end({ endLsn, unixMicros }: Extract<TransactionMark, { kind: 'commit' }>): Promise<void> {
    const changes = this.#changes;
    this.#changes = 0;
    this.#begun = null;
    if (changes === 0) return;
    this.#writer.add({ t: 'commit', lsn: formatLsn(endLsn), at: microsText(unixMicros), changes });
    this.#writer.ended(endLsn);
    if (this.#writer.pendingBytes >= WRITE_BYTES) await this.#writer.write();
  }
}

const hasUnchanged = (batch: Batch, index: number): boolean =>
  fieldOffsets(batch.arena.bytes, batch.rowStart[index]!)
    .slice(0, -1)
    .some((offset) => readInt32(batch.arena.bytes, offset) === UNCHANGED_FIELD);

const keyOf = (batch: Batch, index: number): string =>
  `${batch.route[index]!.variant.table}\n${batch.arena.bytes.toString('latin1', batch.keyStart[index], batch.keyEnd[index])}`;
