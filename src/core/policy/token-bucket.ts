/**
 * A token bucket over bytes: what was spent is paid back at the rate, so that over any stretch of time no more than rate ×
 * time + one second's worth goes through, and a sender that always has more to send gets exactly the rate. Pure: time is
 * an argument.
 */

/** What an idle sender may save up, in seconds of its rate. */
const BURST_SECONDS = 1;

export class TokenBucket {
  readonly #bytesPerMs: number;
  readonly #most: number;
  /** Bytes that may be sent now; below zero is a debt. It begins empty: a restart gives no burst. */
  #balance = 0;
  #atMs: number;

  constructor(bytesPerSecond: number, nowMs: number) {
    this.#bytesPerMs = bytesPerSecond / 1000;
    this.#most = bytesPerSecond * BURST_SECONDS;
    this.#atMs = nowMs;
  }

  /** Spends the bytes, whether they are there or not. @returns milliseconds until the debt is paid; 0 for none */
  spend(bytes: number, nowMs: number): number {
    const passedMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = Math.max(this.#atMs, nowMs);
    this.#balance = Math.min(this.#most, this.#balance + passedMs * this.#bytesPerMs) - bytes;
    return this.#balance >= 0 ? 0 : Math.ceil(-this.#balance / this.#bytesPerMs);
  }
}
