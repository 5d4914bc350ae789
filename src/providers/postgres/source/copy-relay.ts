/**
 * Passes the rows of one COPY TO on to one COPY FROM. Where the rows leave as they are, the server's messages are
 * forwarded unread, in the pieces that the socket gave; otherwise each row is taken apart on its way. Whatever the size
 * of the table, at most a socket's worth of it is here.
 */

import { XcError } from '../../../core/errors/xc-error.ts';
import type { MessageReader, WireConnection } from '../wire/connection.ts';
import { serverError } from '../wire/server-error.ts';

/** Changes rows on their way. Gives bytes of the target's format; empty where a row gives nothing. */
export interface RowTransform {
  /** One CopyData message of the source: in binary format a row, the first with the header before it. */
  row(bytes: Buffer, start: number, end: number): void;
  /** What has been gathered since the last call, as payload of CopyData messages; null when there is nothing. */
  take(): Buffer | null;
  /** What ends the target's stream. */
  end(): Buffer | null;
}

export interface Relayed {
  readonly rows: number;
  readonly bytes: number;
}

/** Asked about every piece that was sent: null where the next may follow at once. */
export type Throttle = (bytes: number) => Promise<void> | null;

/**
 * Runs `COPY … TO STDOUT` on the source and `COPY … FROM STDIN` on the target, which stands in an open transaction.
 * @throws ServerError of either side; then both connections are in an unknown state and must be closed
 */
export const relayCopy = async (
  source: WireConnection,
  target: WireConnection,
  sql: { readonly source: string; readonly target: string },
  transform: RowTransform | null,
  signal: AbortSignal,
  throttle: Throttle | null = null,
): Promise<Relayed> => {
  await startCopyIn(target, sql.target);
  const relay = new Relay(source, target, transform, throttle);
  const onAbort = (): void => relay.fail(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await relay.run(sql.source);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
};

const startCopyIn = async (target: WireConnection, sql: string): Promise<void> => {
  await new Promise<void>((resolve, reject) => {
    target.read({
      message(type, bytes, start, end) {
        if (type === 0x47) resolve(); // CopyInResponse
        if (type === 0x45) reject(serverError(bytes, start, end));
      },
      closed: reject,
    });
    target.send(simpleQueryMessage(sql));
  });
};

const simpleQueryMessage = (sql: string): Buffer => {
  const body = Buffer.from(`${sql}\0`, 'utf8');
  const head = Buffer.from([0x51, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
};

const DEAF: MessageReader = { message() {}, closed() {} };

const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

class Relay {
  readonly #source: WireConnection;
  readonly #target: WireConnection;
  readonly #transform: RowTransform | null;
  readonly #throttle: Throttle | null;
  /** Bytes of the source that the throttle was asked about. */
  #asked = 0;
  /** Reasons for which the source is left unread: a target that does not keep up, a budget. */
  #holds = 0;
  readonly #done: PromiseWithResolvers<Relayed> = Promise.withResolvers();
  #sourceRows: number | null = null;
  #bytes = 0;
  #spliceBytes: Buffer | null = null;
  #spliceStart = 0;
  #spliceEnd = 0;

  constructor(
    source: WireConnection,
    target: WireConnection,
    transform: RowTransform | null,
    throttle: Throttle | null,
  ) {
    this.#throttle = throttle;
    this.#source = source;
    this.#target = target;
    this.#transform = transform;
    // It may be rejected before anybody waits for it, or when the attempt to send throws and nobody will.
    this.#done.promise.catch(() => {});
  }

  async run(sql: string): Promise<Relayed> {
    this.#target.read({
      message: (type, bytes, start, end) => this.#fromTarget(type, bytes, start, end),
      closed: (error) => this.fail(error),
    });
    this.#source.read({
      message: (type, bytes, start, end) => this.#fromSource(type, bytes, start, end),
      flush: () => this.#flush(),
      closed: (error) => this.fail(error),
    });
    this.#source.send(simpleQueryMessage(sql));
    return await this.#done.promise;
  }

  /** What the source still sends goes nowhere: the target may be closed already. */
  fail(reason: unknown): void {
    this.#done.reject(reason);
    this.#source.read(DEAF);
    this.#target.read(DEAF);
    this.#source.resume();
  }

  #fromSource(type: number, bytes: Buffer, start: number, end: number): void {
    switch (type) {
      case 0x64: // CopyData
        this.#bytes += end - start;
        if (this.#transform) this.#transform.row(bytes, start, end);
        else this.#splice(bytes, start - 5, end);
        break;
      case 0x43: // CommandComplete: "COPY n"
        this.#sourceRows = Number(bytes.toString('latin1', start + 5, end - 1));
        break;
      case 0x45:
        this.fail(serverError(bytes, start, end));
        break;
      case 0x5a: // ReadyForQuery
        this.#flush();
        this.#source.read(null);
        this.#finish();
        break;
      default: // CopyOutResponse, CopyDone
    }
  }

  /** Extends the run of whole messages that leave as they came. */
  #splice(bytes: Buffer, start: number, end: number): void {
    if (this.#spliceBytes === bytes && this.#spliceEnd === start) this.#spliceEnd = end;
    else {
      this.#sendSplice();
      [this.#spliceBytes, this.#spliceStart, this.#spliceEnd] = [bytes, start, end];
    }
  }

  #sendSplice(): void {
    if (this.#spliceBytes) this.#send(this.#spliceBytes.subarray(this.#spliceStart, this.#spliceEnd));
    this.#spliceBytes = null;
  }

  #flush(): void {
    if (this.#transform) {
      const payload = this.#transform.take();
      if (payload) this.#sendPayload(payload);
    } else this.#sendSplice();
    this.#ask();
  }

  #ask(): void {
    const bytes = this.#bytes - this.#asked;
    const wait = bytes > 0 ? this.#throttle?.(bytes) : null;
    this.#asked = this.#bytes;
    if (!wait) return;
    this.#hold();
    wait.then(
      () => this.#letGo(),
      (error: unknown) => this.fail(error),
    );
  }

  #hold(): void {
    if (this.#holds++ === 0) this.#source.pause();
  }

  #letGo(): void {
    if (--this.#holds === 0) this.#source.resume();
  }

  #sendPayload(payload: Buffer): void {
    const head = Buffer.from([0x64, 0, 0, 0, 0]);
    head.writeUInt32BE(payload.length + 4, 1);
    this.#target.send(head);
    this.#send(payload);
  }

  /** Sends, and leaves the source unread while the target does not keep up. */
  #send(bytes: Buffer): void {
    if (this.#target.trySend(bytes)) return;
    this.#hold();
    this.#target.onceDrained(() => this.#letGo());
  }

  #finish(): void {
    const end = this.#transform?.end();
    if (end) this.#sendPayload(end);
    this.#target.send(COPY_DONE);
  }

  #fromTarget(type: number, bytes: Buffer, start: number, end: number): void {
    if (type === 0x45) this.fail(serverError(bytes, start, end));
    if (type !== 0x43) return;
    const rows = Number(bytes.toString('latin1', start + 5, end - 1));
    this.#target.read({
      message: (kind) => {
        if (kind === 0x5a) this.#settle(rows);
      },
      closed: (error) => this.fail(error),
    });
  }

  #settle(rows: number): void {
    this.#target.read(null);
    if (rows === this.#sourceRows) this.#done.resolve({ rows, bytes: this.#bytes });
    else this.fail(new XcError('XC-5208', { subject: `${this.#sourceRows} rows read, ${rows} written` }));
  }
}
