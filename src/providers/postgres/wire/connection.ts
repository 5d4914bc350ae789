/**
 * A PostgreSQL connection that gives raw protocol messages to whoever reads them now: the replication stream, a COPY,
 * or a pipelined batch. `pg` opens it (address, TLS, SCRAM), then its parser is taken off the socket, because rows that
 * only pass through must not become objects. Protocol: PostgreSQL documentation, chapter 54 (Frontend/Backend Protocol).
 */

import type { Socket } from 'node:net';
import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import { MessageGatherer, messageEnd } from './message-gatherer.ts';
import { serverError } from './server-error.ts';

/** Reads the messages of one exchange. Called synchronously; bytes are valid only during the call. */
export interface MessageReader {
  message(type: number, bytes: Buffer, start: number, end: number): void;
  /** All messages that came with one read of so many bytes were given; what was gathered from them can be passed on. */
  flush?(readBytes: number): void;
  /** The connection is gone; no further message comes. */
  closed(error: Error): void;
}

/** Backend message types that are no answer to anything: parameter status, notice, notification. */
const ASYNCHRONOUS = new Set([0x53, 0x4e, 0x41]);

interface Opened {
  readonly connection: { readonly stream: Socket; removeAllListeners(): void };
  readonly processID: number;
}

/**
 * What may wait to be sent: some reads' worth. A socket itself asks for a pause after every read that it is given, which
 * would stop the reading of the other side each time.
 */
const QUEUED_BYTES = 512 * 1024;

export class WireConnection implements AsyncDisposable {
  readonly processId: number;
  readonly #socket: Socket;
  #reader: MessageReader | null = null;
  readonly #gatherer = new MessageGatherer();
  #failure: Error | null = null;
  #ending = false;

  private constructor(socket: Socket, processId: number) {
    this.#socket = socket;
    this.processId = processId;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /** Takes the socket of a connected client over; the client is of no use afterwards. */
  static take(client: Client): WireConnection {
    const opened = client as unknown as Opened;
    const socket = opened.connection.stream;
    socket.removeAllListeners('data');
    socket.removeAllListeners('error');
    socket.removeAllListeners('close');
    socket.removeAllListeners('end');
    opened.connection.removeAllListeners();
    client.removeAllListeners();
    return new WireConnection(socket, opened.processID);
  }

  /** Sends bytes; resolves once the kernel took enough of them that more may be sent. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#socket.write(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#socket.off('drain', done);
        this.#socket.off('close', failed);
        resolve();
      };
      const failed = (): void => {
        this.#socket.off('drain', done);
        reject(this.#failure ?? new Error('the connection closed while writing'));
      };
      this.#socket.once('drain', done);
      this.#socket.once('close', failed);
    });
  }

  /** Sends bytes without waiting. */
  send(bytes: Uint8Array): void {
    if (this.#failure) throw this.#failure;
    this.#socket.write(bytes);
  }

  /** Like `send`; false when more should wait for `onceDrained`. */
  trySend(bytes: Uint8Array): boolean {
    if (this.#failure) return true; // the reader learns of the failure
    this.#socket.write(bytes);
    return this.#socket.writableLength < QUEUED_BYTES;
  }

  onceDrained(then: () => void): void {
    this.#socket.once('drain', then);
  }

  /** Gives all further messages to `reader`, until it is replaced. Messages without a reader are an error. */
  read(reader: MessageReader | null): void {
    this.#reader = reader;
    if (reader && this.#failure) reader.closed(this.#failure);
  }

  /** Stops reading from the socket: the server's sender blocks, and so backpressure reaches the log reader. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  get failure(): Error | null {
    return this.#failure;
  }

  /** Says goodbye where that is possible and closes the socket. Never throws. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    if (this.#socket.destroyed) return;
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
    this.#socket.end(Buffer.from([0x58, 0, 0, 0, 4]));
    const timer = setTimeout(() => this.#socket.destroy(), 1_000);
    this.#socket.resume();
    await closed;
    clearTimeout(timer);
  }

  /** Closes at once, without a word: for a connection whose state is unknown. */
  destroy(): void {
    this.#ending = true;
    this.#socket.destroy();
  }

  /** Whatever a reader throws, because it met what it cannot read, ends the connection and reaches that reader. */
  #receive(chunk: Buffer): void {
    try {
      const joined = this.#gatherer.join(chunk);
      if (joined) this.#read(joined, 0);
      const at = this.#read(chunk, this.#gatherer.rest);
      if (this.#failure) return;
      this.#gatherer.keep(chunk, at);
      this.#reader?.flush?.(chunk.length);
    } catch (error) {
      this.#fail(misread(error));
    }
  }

  /** Delivers the whole messages from `at` on. @returns where the first that is not whole begins */
  #read(bytes: Buffer, at: number): number {
    for (;;) {
      const end = messageEnd(bytes, at);
      if (end > bytes.length || this.#failure) return at;
      const type = bytes[at] ?? 0;
      if (!ASYNCHRONOUS.has(type)) this.#deliver(type, bytes, at + 5, end);
      at = end;
    }
  }

  #deliver(type: number, bytes: Buffer, start: number, end: number): void {
    if (this.#reader) {
      this.#reader.message(type, bytes, start, end);
      return;
    }
    if (type === 0x45) this.#fail(serverError(bytes, start, end));
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = this.#ending
      ? error
      : error instanceof XcError
        ? error
        : new XcError('XC-6001', { subject: 'connection lost', why: error.message, cause: error });
    this.#socket.destroy();
    this.#reader?.closed(this.#failure);
  }
}

const misread = (error: unknown): XcError =>
  error instanceof XcError
    ? error
    : new XcError('XC-5201', { subject: 'an answer of the server', why: String(error), cause: error });
