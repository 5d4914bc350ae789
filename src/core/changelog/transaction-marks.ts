/**
 * Where transactions begin and end in batches: a batch that is applied needs only its last position, a log needs every
 * one. Kept beside the batches, so that those who do not ask do not pay.
 */

import type { Batch } from '../change/batch.ts';
import type { CollectorHooks } from '../change/collector.ts';
import type { Lsn } from '../change/lsn.ts';

export type TransactionMark =
  | { readonly kind: 'begin'; readonly at: number; readonly commitLsn: Lsn; readonly xid: number }
  | { readonly kind: 'commit'; readonly at: number; readonly endLsn: Lsn; readonly unixMicros: bigint };

export class TransactionMarks {
  readonly #marks = new WeakMap<Batch, TransactionMark[]>();

  readonly hooks: Pick<CollectorHooks, 'began' | 'committed'> = {
    began: (batch, commitLsn, xid) => this.add(batch, { kind: 'begin', at: batch.size, commitLsn, xid }),
    committed: (batch, endLsn, unixMicros) =>
      this.add(batch, { kind: 'commit', at: batch.size, endLsn, unixMicros: BigInt(unixMicros) }),
  };

  add(batch: Batch, mark: TransactionMark): void {
    const marks = this.#marks.get(batch);
    if (marks) marks.push(mark);
    else this.#marks.set(batch, [mark]);
  }

  /** The marks of the batch, which it then has no more: its memory serves again. */
  take(batch: Batch): readonly TransactionMark[] {
    const marks = this.#marks.get(batch) ?? [];
    this.#marks.delete(batch);
    return marks;
  }
}
