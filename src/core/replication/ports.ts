/** What the change loop needs of a source and a sink of changes; it owns these ports, providers implement them. */

import type { Batch } from '../change/batch.ts';
import type { Lsn } from '../change/lsn.ts';

export interface ChangeSource extends AsyncDisposable {
  /**
   * The next batch: whatever has come since the last, as soon as there is anything, at most the batch limit. A batch
   * without changes only moves the position.
   * @returns null when the end that the source was opened with is reached, "idle" when `waitMs` passed without news
   * @throws the signal's reason, or why the source is gone
   */
  next(waitMs: number, signal: AbortSignal): Promise<Batch | 'idle' | null>;
  /** Tells the source that everything up to here is durable at the sink and may be forgotten. */
  acknowledge(upTo: Lsn): void;
  /** Gives a batch that is applied back, for its memory. */
  recycle(batch: Batch): void;
}

export interface Applied {
  /** Changes that met another state of the row than the source's; the source's version was put there. */
  readonly conflicts: number;
  /** The set-wise way was refused, and the batch went in the order of the source. */
  readonly fellBack: boolean;
}

export interface ChangeSink {
  /** Applies a batch with its position in one transaction; an open batch leaves the transaction open for the next. */
  apply(batch: Batch): Promise<Applied>;
  /**
   * Stores a position that no change came with.
   * @param sourceMs the source's clock at that position, in Unix milliseconds
   */
  advance(position: Lsn, sourceMs: number | null): Promise<void>;
  /** What a crash of the target can no longer take back. */
  durable(): Promise<Lsn>;
  /** Makes everything applied durable now. */
  flush(): Promise<void>;
  flushCounts(): Promise<void>;
  readonly hasUndurable: boolean;
}
