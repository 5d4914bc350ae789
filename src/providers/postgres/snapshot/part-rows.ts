/** What becomes of a part's rows on their way from COPY's text format into the snapshot's. */

import { splitTextRow } from '../../../core/change/copy-text.ts';
import type { TuplePlan } from '../../../core/change/tuple-plan.ts';
import { csvRow, leavingFields, ndjsonRow, type RowWriter } from '../../../core/snapshot/row-formats.ts';
import type { SnapshotFormat } from '../../../core/snapshot/manifest.ts';
import type { RowTransform } from '../source/copy-relay.ts';
import { textTransform, type TenantCounter } from '../source/row-transforms.ts';

export interface CountedRows extends RowTransform {
  readonly rows: () => number;
}

/** @param types of the columns that leave, as format_type names them */
export const partRows = (
  format: SnapshotFormat,
  plan: TuplePlan,
  types: readonly string[],
  link: string,
): CountedRows => {
  if (format === 'ndjson') return written(plan, ndjsonRow(plan.columns, types), []);
  if (format === 'csv') return written(plan, csvRow, [csvRow(plan.columns)]);
  return plan.plain ? untouched() : redacted(plan, link);
};

const FIRST_BYTES = 64 * 1024;

/** Rows as they came, one message each. */
const untouched = (): CountedRows => {
  let rows = 0;
  let room = Buffer.allocUnsafe(FIRST_BYTES);
  let filled = 0;
  return {
    rows: () => rows,
    row(bytes, start, end) {
      const length = end - start;
      if (filled + length > room.length) {
        const larger = Buffer.allocUnsafe(Math.max(2 * room.length, filled + length));
        room.copy(larger, 0, 0, filled);
        room = larger;
      }
      bytes.copy(room, filled, start, end);
      filled += length;
      rows++;
    },
    take() {
      if (filled === 0) return null;
      const payload = room.subarray(0, filled);
      room = Buffer.allocUnsafe(FIRST_BYTES);
      filled = 0;
      return payload;
    },
    end: () => null,
  };
};

/** By the code that redacts the rows of a copy. */
const redacted = (plan: TuplePlan, link: string): CountedRows => {
  const counter: TenantCounter = { field: null, links: new Map([['', link]]), counts: new Map() };
  return { ...textTransform(plan, counter), rows: () => counter.counts.get(link)?.rows ?? 0 };
};

const written = (plan: TuplePlan, write: RowWriter, head: readonly string[]): CountedRows => {
  let rows = 0;
  let lines = [...head];
  return {
    rows: () => rows,
    row(bytes, start, end) {
      lines.push(write(leavingFields(splitTextRow(bytes, start, end - 1), plan)));
      rows++;
    },
    take() {
      if (lines.length === 0) return null;
      const payload = Buffer.from(lines.join(''));
      lines = [];
      return payload;
    },
    end: () => null,
  };
};
