/** What a copy will cost. Estimates from the server's statistics, and said to be such wherever they are shown. */

import type { CopyTable, Estimate, Step } from './plan.ts';

/** Rate assumed before anything is measured: what one COPY stream moves over a common cross-region path. */
export const ASSUMED_BYTES_PER_SECOND = 16 * 2 ** 20;
/** Bytes of a table that one chunk aims at: small enough to repeat after a crash, large enough to stream well. */
export const CHUNK_BYTES = 64 * 2 ** 20;

/** @param walBytesPerSecond the source's mean rate of log; null where unknown: only the copy's own bytes then count */
export const estimateOf = (
  parts: readonly { readonly steps: readonly Step[]; readonly walBytesPerSecond: number | null }[],
): Estimate => {
  const total = { rows: 0, bytes: 0, walBytes: 0, seconds: 0 };
  for (const { steps, walBytesPerSecond } of parts) {
    const copies = steps.filter((step): step is CopyTable => step.kind === 'copy-table');
    const bytes = copies.reduce((sum, step) => sum + step.bytes, 0);
    const seconds = bytes / ASSUMED_BYTES_PER_SECOND;
    total.rows += copies.reduce((sum, step) => sum + step.rows, 0);
    total.bytes += bytes;
    total.seconds = Math.max(total.seconds, seconds);
    total.walBytes += seconds * (walBytesPerSecond ?? 0);
  }
  return {
    rows: total.rows,
    bytes: total.bytes,
    walBytes: Math.round(total.walBytes),
    minutes: Math.round((total.seconds / 60) * 10) / 10,
  };
};
