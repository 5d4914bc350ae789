/**
 * Reading in gulps. A sender that is far behind writes each change to the socket by itself, and a reader that is faster
 * wakes up for each of them: both spend more on waking than on the change. So while much comes, a read that did not fill
 * its buffer is followed by a moment of sleep. The moment is short beside what the sockets hold, so the sender never
 * waits for it; and at the rates of ordinary work there is none, so that no commit waits, either.
 */

/** What one read takes at most, as libuv reads. */
const FULL_READ_BYTES = 64 * 1024;
/** Measured: half of it gathers too little, and after a whole millisecond the sender stands still. */
const MOMENT_MS = 0.3;
/** More than this within a window is catching up: some 100,000 small rows a second. */
const WINDOW_MS = 10;
const WINDOW_BYTES = 200 * 1024;

const CELL = new Int32Array(new SharedArrayBuffer(4));

export class Gulps {
  #windowMs: number;
  #bytes = 0;
  #busy = false;

  constructor(nowMs: number) {
    this.#windowMs = nowMs;
  }

  /** Called after each read with its size. Sleeps: a timer of the event loop is too coarse by far. */
  read(bytes: number): void {
    this.#bytes += bytes;
    const nowMs = performance.now();
    if (nowMs - this.#windowMs >= WINDOW_MS) {
      this.#busy = this.#bytes >= (WINDOW_BYTES * (nowMs - this.#windowMs)) / WINDOW_MS;
      this.#windowMs = nowMs;
      this.#bytes = 0;
    }
    if (this.#busy && bytes < FULL_READ_BYTES) Atomics.wait(CELL, 0, 0, MOMENT_MS);
  }
}
