/**
 * How far a mirror is behind, in the manner of S3 Replication Time Control ("Monitoring replication with metrics, event
 * notifications, and statuses"): what is pending, the latency, what failed, what missed the threshold of 15 minutes, and
 * what was replicated after it. Ages are those of the source's objects.
 */

import type { Entry } from './entry.ts';

/** S3 RTC: "99.99 percent of objects within 15 minutes"; its events name the same threshold. */
export const THRESHOLD_MS = 15 * 60_000;

export interface MirrorTally {
  readonly from: string;
  readonly to: string;
  readonly bytesPending: number;
  readonly operationsPending: number;
  /** Age of the oldest change that is not yet at the target; 0 for none. Milliseconds. */
  readonly latencyMs: number;
  readonly operationsFailed: number;
  /** Changes that were older than the threshold before they were at the target. */
  readonly missedThreshold: number;
  /** Those of them that are there now. */
  readonly replicatedAfterThreshold: number;
  readonly bytesReplicated: number;
  readonly operationsReplicated: number;
  /** Milliseconds since the Unix epoch; null before. */
  readonly lastSuccessMs: number | null;
}

const isPending = ({ action }: Entry): boolean => action === 'copy' || action === 'replace';

export class Tallying {
  readonly #pair: { readonly from: string; readonly to: string };
  #bytesPending = 0;
  #operationsPending = 0;
  #failed = 0;
  #missed = 0;
  #late = 0;
  #bytes = 0;
  #operations = 0;
  #lastSuccessMs: number | null = null;
  /** The oldest change of all that were pending, and the oldest that failed: a bound that needs no list. */
  #oldestMs = Infinity;
  #oldestFailedMs = Infinity;

  constructor(from: string, to: string) {
    this.#pair = { from, to };
  }

  planned(entry: Entry, nowMs: number): void {
    if (!isPending(entry) || entry.source === null) return;
    this.#bytesPending += entry.source.bytes;
    this.#operationsPending += 1;
    this.#oldestMs = Math.min(this.#oldestMs, entry.source.modifiedAtMs);
    if (nowMs - entry.source.modifiedAtMs > THRESHOLD_MS) this.#missed += 1;
  }

  /** @param plannedAtMs when it was counted as planned */
  done(entry: Entry, failed: boolean, plannedAtMs: number, nowMs: number): void {
    if (!isPending(entry) || entry.source === null) {
      if (failed) this.#failed += 1;
      return;
    }
    const { bytes, modifiedAtMs } = entry.source;
    const wasLate = plannedAtMs - modifiedAtMs > THRESHOLD_MS;
    const isLate = nowMs - modifiedAtMs > THRESHOLD_MS;
    if (isLate && !wasLate) this.#missed += 1;
    if (failed) {
      this.#failed += 1;
      this.#oldestFailedMs = Math.min(this.#oldestFailedMs, modifiedAtMs);
      return;
    }
    this.#bytesPending -= bytes;
    this.#operationsPending -= 1;
    this.#bytes += bytes;
    this.#operations += 1;
    if (isLate) this.#late += 1;
  }

  succeeded(nowMs: number): void {
    this.#lastSuccessMs = nowMs;
  }

  read(nowMs: number): MirrorTally {
    const oldestMs =
      this.#operationsPending === 0 ? Infinity : Math.min(this.#oldestMs, this.#oldestFailedMs);
    return {
      ...this.#pair,
      bytesPending: this.#bytesPending,
      operationsPending: this.#operationsPending,
      latencyMs: oldestMs === Infinity ? 0 : Math.max(0, nowMs - oldestMs),
      operationsFailed: this.#failed,
      missedThreshold: this.#missed,
      replicatedAfterThreshold: this.#late,
      bytesReplicated: this.#bytes,
      operationsReplicated: this.#operations,
      lastSuccessMs: this.#lastSuccessMs,
    };
  }
}
