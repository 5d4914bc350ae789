/**
 * A logical replication slot as a source of batches. Protocol: PostgreSQL documentation, 54.4 (Streaming Replication
 * Protocol). Reading goes on while a batch is applied, up to a limit; then the socket is left unread, the server's
 * sender blocks, and nothing grows.
 */

import type { Batch } from '../../../core/change/batch.ts';
import { Collector, type CollectorHooks } from '../../../core/change/collector.ts';
import { formatLsn, maxLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import { decodeMessage, POSTGRES_EPOCH_MICROS, readLsn, readMicros } from '../../../core/change/pgoutput.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { ChangeSource } from '../../../core/replication/ports.ts';
import type { Clock } from '../../../core/time/clock.ts';
import { ident, literal } from '../quote.ts';
import { Gulps } from './gulps.ts';
import type { WireConnection } from '../wire/connection.ts';
import { serverError } from '../wire/server-error.ts';

/** Bytes of written rows in one batch: a few ten thousand ordinary rows, and two of them fit small machines. */
const BATCH_BYTES = 8 * 2 ** 20;
/** A batch of many tiny changes is cut as well: each costs some memory beside its bytes. */
const BATCH_CHANGES = 50_000;
/** So is one of changes that go to the target one by one: they take some 0.1 ms each, and a kill takes all of them back. */
const BATCH_ORDERED_CHANGES = 5_000;
/**
 * While much comes, a read hardly ever ends where a transaction does: with so much of whole ones the target does not wait
 * for that. Less would cost more by the transaction at the target than by its rows.
 */
const WHOLE_BYTES = 256 * 1024;
/** One is applied while the next is gathered. */
const SPARE_BATCHES = 2;
/**
 * The server ends a session of which it hears nothing for wal_sender_timeout, also while its questions lie unread because
 * the target does not keep up. Some operators set that to few seconds; a status has 39 bytes.
 */
const STATUS_MS = 1_000;
/** k, end of the log, the server's clock, whether it wants an answer. */
const KEEPALIVE_BYTES = 18;
/** While waiting for the end, the sender is asked where it is. */
const ASK_MS = 250;

export interface ReplicationStreamOptions {
  readonly slot: string;
  readonly publications: readonly string[];
  readonly from: Lsn;
  /** Transactions whose commit record is at or past this are left for another time; null streams on. */
  readonly until: Lsn | null;
  readonly binary: boolean;
  readonly clock: Clock;
  readonly hooks: CollectorHooks;
}

export class ReplicationStream implements ChangeSource {
  readonly #connection: WireConnection;
  readonly #options: ReplicationStreamOptions;
  readonly #collector: Collector;
  readonly #timer: NodeJS.Timeout;
  readonly #spare: Batch[] = [];
  readonly #gulps = new Gulps(performance.now());
  #received: Lsn;
  #acknowledged: Lsn = ZERO_LSN;
  #failure: unknown = null;
  #ended = false;
  #started = false;
  #paused = false;
  #moved = false;
  #wake: (() => void) | null = null;
  #askedMs = 0;

  private constructor(connection: WireConnection, options: ReplicationStreamOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#received = options.from;
    this.#collector = new Collector(options.hooks, options.until);
    this.#collector.batch.position = options.from;
    this.#timer = setInterval(() => this.#sendStatus(false), STATUS_MS);
  }

  /** @throws ServerError when the slot is in use, lost or gone */
  static async open(
    connection: WireConnection,
    options: ReplicationStreamOptions,
  ): Promise<ReplicationStream> {
    const stream = new ReplicationStream(connection, options);
    const names = options.publications.map(ident).join(',');
    const parameters = [
      "proto_version '1'",
      `publication_names ${literal(names)}`,
      `binary '${options.binary}'`,
      "messages 'true'",
    ];
    connection.read({
      message: (type, bytes, start, end) => stream.#message(type, bytes, start, end),
      flush: (bytes) => stream.#gulps.read(bytes),
      closed: (error) => stream.#fail(error),
    });
    const sql = `START_REPLICATION SLOT ${ident(options.slot)} LOGICAL ${formatLsn(options.from)} (${parameters.join(', ')})`;
    const body = Buffer.from(`${sql}\0`, 'utf8');
    const head = Buffer.from([0x51, 0, 0, 0, 0]);
    head.writeUInt32BE(body.length + 4, 1);
    connection.send(Buffer.concat([head, body]));
    await stream.#until(() => stream.#started);
    return stream;
  }

  async next(waitMs: number, signal: AbortSignal): Promise<Batch | 'idle' | null> {
    const deadline = performance.now() + waitMs;
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (!this.#collector.inTransaction) signal.throwIfAborted();
      if (this.#ready()) return this.#take();
      if (this.#ended) return null;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return 'idle';
      if (this.#options.until !== null) this.#ask();
      await this.#news(this.#options.until === null ? leftMs : Math.min(leftMs, ASK_MS), signal);
    }
  }

  acknowledge(upTo: Lsn): void {
    if (upTo <= this.#acknowledged) return;
    this.#acknowledged = upTo;
    this.#sendStatus(false);
  }

  recycle(batch: Batch): void {
    if (this.#spare.length < SPARE_BATCHES) this.#spare.push(batch);
  }

  /** Where the sender is now, or was when it last said so. */
  get received(): Lsn {
    return this.#received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#connection.read({ message: () => {}, closed: () => {} });
    if (!this.#connection.failure && this.#started) this.#connection.send(Buffer.from([0x63, 0, 0, 0, 4]));
    await this.#connection[Symbol.asyncDispose]();
  }

  #ready(): boolean {
    const { batch, inTransaction } = this.#collector;
    if (inTransaction) return this.#isFull() || this.#collector.wholeBytes >= WHOLE_BYTES;
    return batch.size > 0 || batch.commitsMs.length > 0 || this.#moved;
  }

  #isFull(): boolean {
    const { batch } = this.#collector;
    return (
      batch.arena.length >= BATCH_BYTES ||
      batch.size >= BATCH_CHANGES ||
      batch.orderedChanges >= BATCH_ORDERED_CHANGES
    );
  }

  #take(): Batch {
    this.#moved = false;
    const batch = this.#collector.take(this.#spare.pop());
    if (this.#paused) {
      this.#paused = false;
      this.#connection.resume();
    }
    return batch;
  }

  #message(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.#failure) return;
    try {
      if (type === 0x64) this.#copyData(bytes, start, end);
      else if (type === 0x57) this.#start();
      else if (type === 0x45) this.#fail(serverError(bytes, start, end));
      else if (type === 0x63) this.#fail(ended());
      else throw new XcError('XC-5201', { subject: `message type ${type} in a replication stream` });
    } catch (error) {
      this.#fail(error);
    }
  }

  #start(): void {
    this.#started = true;
    this.#wakeUp();
  }

  #copyData(bytes: Buffer, start: number, end: number): void {
    const kind = bytes[start];
    if (kind === 0x77) {
      decodeMessage(bytes, start + 25, end, this.#collector);
      if (this.#collector.reachedEnd) this.#ended = true;
      if (!this.#paused && this.#isFull()) {
        this.#paused = true;
        this.#connection.pause();
      }
      this.#wakeUp();
    } else if (kind === 0x6b && end - start === KEEPALIVE_BYTES) {
      const micros = readMicros(bytes, start + 9) + POSTGRES_EPOCH_MICROS;
      this.#keepalive(readLsn(bytes, start + 1), Math.trunc(micros / 1000), bytes[start + 17] === 1);
    } else throw new XcError('XC-5201', { subject: `replication message ${kind} of ${end - start} bytes` });
  }

  /**
   * Everything before `walEnd` has been sent. With nothing in flight that is a position as good as a commit's; in a
   * transaction it is not, because the transaction's own changes before it are not all here yet.
   */
  #keepalive(walEnd: Lsn, sourceMs: number, wantsReply: boolean): void {
    this.#received = maxLsn(this.#received, walEnd);
    const { batch, inTransaction, reachedEnd } = this.#collector;
    const { until } = this.#options;
    if (!inTransaction && !reachedEnd) {
      const position = until !== null && walEnd > until ? until : walEnd;
      if (position > batch.position) {
        batch.position = position;
        batch.sourceMs = sourceMs;
        this.#moved = true;
      }
      if (until !== null && walEnd >= until) this.#ended = true;
    }
    if (wantsReply) this.#sendStatus(false);
    this.#wakeUp();
  }

  #ask(): void {
    const nowMs = performance.now();
    if (nowMs - this.#askedMs < ASK_MS) return;
    this.#askedMs = nowMs;
    this.#sendStatus(true);
  }

  /** Standby status update: written, flushed and applied position, our clock, whether an answer is wanted. */
  #sendStatus(wantsReply: boolean): void {
    if (this.#failure || !this.#started || this.#connection.failure) return;
    const message = Buffer.alloc(39);
    message[0] = 0x64;
    message.writeUInt32BE(38, 1);
    message[5] = 0x72;
    message.writeBigUInt64BE(maxLsn(this.#received, this.#acknowledged), 6);
    message.writeBigUInt64BE(this.#acknowledged, 14);
    message.writeBigUInt64BE(this.#acknowledged, 22);
    message.writeBigInt64BE(
      BigInt(Math.trunc(this.#options.clock.nowMs()) * 1000 - POSTGRES_EPOCH_MICROS),
      30,
    );
    message[38] = wantsReply ? 1 : 0;
    this.#connection.send(message);
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    clearInterval(this.#timer);
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Resolves at the next message, after `ms`, or at the signal. */
  async #news(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.#wake = done;
    });
  }
}

/** What a server does that shuts down in good order, among others: it may be back soon. */
const ended = (): XcError =>
  new XcError('XC-6001', { subject: 'replication stream', why: 'the server ended it' });
