/**
 * Lag of a run as a histogram with buckets that grow by 2 %, so that a quantile is never off by more than that, and
 * memory is bounded by a few thousand counters however long the run takes.
 */

const GROWTH = Math.log(1.02);

export interface LagQuantiles {
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly last: number;
  readonly samples: number;
}

export class LagHistogram {
  readonly #counts = new Map<number, number>();
  #samples = 0;
  #max = 0;
  #last = 0;

  /** @param lagMs a negative one, from clocks that differ, counts as 0 */
  add(lagMs: number): void {
    const ms = Math.max(0, lagMs);
    const bucket = Math.round(Math.log1p(ms) / GROWTH);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#samples += 1;
    this.#max = Math.max(this.#max, ms);
    this.#last = ms;
  }

  /** Null before the first sample. */
  quantiles(): LagQuantiles | null {
    if (this.#samples === 0) return null;
    return {
      p50: this.#quantile(0.5),
      p99: this.#quantile(0.99),
      max: Math.round(this.#max),
      last: Math.round(this.#last),
      samples: this.#samples,
    };
  }

  /** Nearest rank: the smallest bucket that, with those below, holds the wanted share of the samples. */
  #quantile(share: number): number {
    let left = Math.ceil(share * this.#samples);
    for (const bucket of [...this.#counts.keys()].toSorted((a, b) => a - b)) {
      left -= this.#counts.get(bucket) ?? 0;
      if (left <= 0) return Math.min(Math.round(Math.expm1(bucket * GROWTH)), Math.round(this.#max));
    }
    return Math.round(this.#max);
  }
}
