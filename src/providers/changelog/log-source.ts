/**
 * A change log as a source of batches. It is read from the beginning of the file that holds the position, so that every
 * line before it is checked too, and goes on as the file grows, from one file to the next. Only whole transactions are
 * given; there is nothing to acknowledge, because nothing is held back for anybody.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Batch } from '../../core/change/batch.ts';
import { Collector, type CollectorHooks } from '../../core/change/collector.ts';
import { formatLsn, minLsn, parseLsn, type Lsn } from '../../core/change/lsn.ts';
import { kindOf, parseTable } from '../../core/changelog/parse.ts';
import type { SealRecord, TableRecord } from '../../core/changelog/records.ts';
import { Replay } from '../../core/changelog/replay.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { ChangeSource } from '../../core/replication/ports.ts';
import { fileNumbers, filePath } from './log-files.ts';
import { openFile, type OpenFile } from './open-file.ts';
import type { TransactionUnit, Unit } from './unit-reader.ts';

/** As for a slot: a few ten thousand ordinary rows, and bounded for many small ones. */
const BATCH_BYTES = 8 * 2 ** 20;
const BATCH_CHANGES = 50_000;
const SPARE_BATCHES = 2;
/** How often a file that has no more is looked at again. */
const POLL_MS = 50;

export interface LogSourceOptions {
  readonly path: string;
  readonly from: Lsn;
  /** The end is at the first whole transaction at or past this; null reads on as the log grows. */
  readonly until: Lsn | null;
  readonly hooks: CollectorHooks & { table(record: TableRecord): void };
}

export class LogSource implements ChangeSource {
  readonly #options: LogSourceOptions;
  readonly #collector: Collector;
  readonly #replay: Replay;
  readonly #spare: Batch[] = [];
  #file: OpenFile;
  /** End of the last piece that was read. */
  #position: Lsn;
  /** Whether `from` was met: what comes before it is only checked. */
  #met: boolean;
  /** Lines of a transaction that is too large for one batch. */
  #rest: AsyncIterator<{ readonly text: string }> | null = null;
  #restLine = 0;
  #seal: SealRecord | null = null;
  #moved = false;
  #ended = false;

  constructor(options: LogSourceOptions, file: OpenFile) {
    this.#options = options;
    this.#file = file;
    this.#position = parseLsn(file.header.position);
    this.#met = this.#position === options.from;
    this.#collector = new Collector(options.hooks, options.until);
    this.#collector.batch.position = options.from;
    this.#replay = new Replay(this.#collector);
    this.#ended = options.until !== null && options.until <= options.from && this.#met;
  }

  async next(waitMs: number, signal: AbortSignal): Promise<Batch | 'idle' | null> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      if (!this.#collector.inTransaction) signal.throwIfAborted();
      const wentOn = await this.#gather(deadline);
      if (this.#isReady()) return this.#take();
      if (this.#ended) return null;
      if (wentOn) continue;
      if (performance.now() >= deadline) return 'idle';
      await sleep(Math.max(1, Math.min(POLL_MS, deadline - performance.now())));
    }
  }

  acknowledge(): void {
    // A log keeps everything until somebody takes its old files away.
  }

  recycle(batch: Batch): void {
    if (this.#spare.length < SPARE_BATCHES) this.#spare.push(batch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file[Symbol.asyncDispose]();
  }

  /** Reads until a batch is full, the log has no more, or what is there has waited long enough. */
  async #gather(deadline: number): Promise<boolean> {
    let wentOn = false;
    while (!this.#ended && !this.#isFull()) {
      if (!(await this.#step())) break;
      wentOn = true;
      if (performance.now() >= deadline) break;
    }
    return wentOn;
  }

  async #step(): Promise<boolean> {
    if (this.#rest) return await this.#goOn();
    const unit = await this.#file.units.next();
    if (unit === 'end') return this.#seal ? await this.#nextFile(this.#seal) : await this.#standStill();
    await this.#read(unit);
    return true;
  }

  async #read(unit: Unit): Promise<void> {
    switch (unit.kind) {
      case 'header':
        throw new XcError('XC-5036', { subject: this.#file.path, why: 'a second header' });
      case 'table':
        return this.#table(unit.table);
      case 'seal':
        this.#seal = unit.seal;
        return;
      case 'transaction':
        if (this.#met) return await this.#transaction(unit);
        for await (const table of this.#file.units.tablesIn(unit)) this.#table(table);
        return this.#passed(unit.endLsn);
      case 'position':
      case 'copied':
        if (!this.#met) return this.#passed(unit.lsn);
        this.#position = unit.lsn;
        return this.#moveTo(
          unit.lsn,
          unit.kind === 'position' && unit.at !== null ? Date.parse(unit.at) : null,
        );
    }
  }

  #table(record: TableRecord): void {
    this.#options.hooks.table(record);
    this.#replay.table(record);
  }

  /** Of what comes before the position: it has to end exactly there, or this is not the log that it was taken from. */
  #passed(end: Lsn): void {
    const { from } = this.#options;
    this.#position = end;
    this.#met = end === from;
    if (end > from) throw this.#otherLog(`it has no end of a transaction at ${formatLsn(from)}`);
    if (this.#met) this.#judgeEnd();
  }

  async #transaction(unit: TransactionUnit): Promise<void> {
    this.#position = unit.endLsn;
    this.#restLine = unit.from.line;
    if (!unit.lines) {
      this.#rest = this.#file.units.lines(unit)[Symbol.asyncIterator]();
      return;
    }
    for (const { text } of unit.lines) this.#line(text);
    this.#judgeEnd();
  }

  async #goOn(): Promise<boolean> {
    const rest = this.#rest!;
    while (!this.#isFull()) {
      const { value, done } = await rest.next();
      if (done) {
        this.#rest = null;
        this.#judgeEnd();
        break;
      }
      this.#line(value.text);
    }
    return true;
  }

  #line(text: string): void {
    const where = this.#file.units.where(this.#restLine++);
    const kind = kindOf(text)!;
    if (kind === 'table') this.#table(parseTable(text, where));
    else this.#replay.line(kind, text, where);
  }

  /** A position without changes, as good as a commit's. */
  #moveTo(lsn: Lsn, sourceMs: number | null): void {
    const { until } = this.#options;
    const { batch } = this.#collector;
    const position = until === null ? lsn : minLsn(lsn, until);
    if (position > batch.position) {
      batch.position = position;
      batch.sourceMs = sourceMs;
      this.#moved = true;
    }
    this.#judgeEnd();
  }

  #judgeEnd(): void {
    const { until } = this.#options;
    if (until !== null && (this.#position >= until || this.#collector.reachedEnd)) this.#ended = true;
  }

  /** The file is full, and every line of it was read: the next one begins where it ended. */
  async #nextFile(seal: SealRecord): Promise<boolean> {
    if (seal.next === null) return this.#refuseEndBefore();
    const { path } = this.#options;
    const number = this.#file.number + 1;
    const next = await openFile(filePath(path, number), number);
    if (!next) {
      const later = (await fileNumbers(path)).find((other) => other > number);
      if (later !== undefined)
        throw new XcError('XC-5032', {
          subject: filePath(path, number),
          why: `it is not there, and ${filePath(path, later)} is`,
        });
      return this.#refuseEndBefore();
    }
    const { digest } = this.#file.units.boundary;
    if (next.header.previous !== digest || next.genesis !== this.#file.genesis) {
      await next[Symbol.asyncDispose]();
      throw new XcError('XC-5032', { subject: next.path, why: 'it does not follow from the file before it' });
    }
    await this.#file[Symbol.asyncDispose]();
    this.#file = next;
    this.#seal = null;
    return true;
  }

  /** Nothing whole is there now. What was read before must still be, and a file that another follows ends with a seal. */
  async #standStill(): Promise<false> {
    const { path, number, units, handle } = this.#file;
    const { size } = await handle.stat();
    if (size < units.boundary.offset) throw this.#otherLog('it was cut short behind what was read');
    const later = (await fileNumbers(this.#options.path)).find((other) => other > number);
    // The next file is begun after the seal: where it is there, and this one has not grown since, there is none.
    if (later !== undefined && (await handle.stat()).size === units.boundary.offset + units.behind)
      throw new XcError('XC-5034', {
        subject: path,
        why: units.torn > 0 ? 'it ends in the middle of a line' : 'it has no seal, and a later file is there',
      });
    return this.#refuseEndBefore();
  }

  #refuseEndBefore(): false {
    if (this.#met) return false;
    throw this.#otherLog(`it ends at ${formatLsn(this.#position)}`);
  }

  #otherLog(why: string): XcError {
    return new XcError('XC-5033', {
      subject: this.#file.path,
      why: `the checkpoint is ${formatLsn(this.#options.from)}, and ${why}`,
    });
  }

  #isFull(): boolean {
    const { batch } = this.#collector;
    return batch.arena.length >= BATCH_BYTES || batch.size >= BATCH_CHANGES;
  }

  #isReady(): boolean {
    const { batch, inTransaction } = this.#collector;
    if (inTransaction) return this.#isFull();
    return batch.size > 0 || batch.commitsMs.length > 0 || this.#moved;
  }

  #take(): Batch {
    this.#moved = false;
    return this.#collector.take(this.#spare.pop());
  }
}
