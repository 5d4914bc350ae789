/** What happens to rows between a COPY TO and a COPY FROM when they do not leave as they are. */

import { Arena } from '../../../core/change/arena.ts';
import { joinTextRow, splitTextRow } from '../../../core/change/copy-text.ts';
import { readInt16, readInt32 } from '../../../core/change/pgoutput.ts';
import { requireCopyRow, writeTuple, type TuplePlan } from '../../../core/change/tuple-plan.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { RowTransform } from './copy-relay.ts';

/** Tells rows of several links apart, and counts them. */
export interface TenantCounter {
  /** Position of the tenant column among the fields that are read; null where all rows are of one link. */
  readonly field: number | null;
  /** By the field's bytes as latin1; "" where field is null. */
  readonly links: ReadonlyMap<string, LinkId>;
  readonly counts: Map<LinkId, { rows: number; bytes: number }>;
}

const count = (counter: TenantCounter, tenant: string, bytes: number): void => {
  const link = counter.links.get(tenant);
  if (link === undefined)
    throw new XcError('XC-2006', {
      subject: 'initial copy',
      why: 'a row of a tenant that is not copied came along',
    });
  let entry = counter.counts.get(link);
  if (!entry) counter.counts.set(link, (entry = { rows: 0, bytes: 0 }));
  entry.rows++;
  entry.bytes += bytes;
};

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const HEADER = Buffer.concat([SIGNATURE, Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);

/** Rows in COPY's binary format, redacted by the same code as the stream's. */
export const binaryTransform = (plan: TuplePlan, counter: TenantCounter): RowTransform => {
  const arena = new Arena();
  arena.copy(HEADER, 0, HEADER.length);
  let inHeader = true;
  return {
    row(bytes, start, end) {
      let at = start;
      if (inHeader) at = headerEnd(bytes, start, end);
      inHeader = false;
      if (at >= end || readInt16(bytes, at) < 0) return; // the header alone, or the trailer
      requireCopyRow(bytes, at, end);
      count(counter, counter.field === null ? '' : fieldText(bytes, at, counter.field), end - at);
      writeTuple(arena, plan, 'row', bytes, at);
    },
    take() {
      if (arena.length === 0) return null;
      const payload = Buffer.from(arena.bytes.subarray(0, arena.length));
      arena.clear();
      return payload;
    },
    end: () => TRAILER,
  };
};

/** The server sends it before the first row (PostgreSQL documentation, COPY, "Binary Format"). */
const headerEnd = (bytes: Buffer, start: number, end: number): number => {
  const extension = start + SIGNATURE.length + 4;
  if (
    end - start < HEADER.length ||
    bytes.compare(SIGNATURE, 0, SIGNATURE.length, start, start + SIGNATURE.length) !== 0
  )
    throw new XcError('XC-5201', { subject: 'a copy that does not begin with its signature' });
  return extension + 4 + readInt32(bytes, extension);
};

const fieldText = (bytes: Buffer, at: number, field: number): string => {
  let next = at + 2;
  for (let index = 0; index < field; index++) next += 4 + Math.max(0, readInt32(bytes, next));
  return bytes.toString('latin1', next + 4, next + 4 + Math.max(0, readInt32(bytes, next)));
};

/** Rows in COPY's text format. */
export const textTransform = (plan: TuplePlan, counter: TenantCounter): RowTransform => {
  let rows: Buffer[] = [];
  return {
    row(bytes, start, end) {
      const fields = splitTextRow(bytes, start, end - 1);
      count(
        counter,
        counter.field === null ? '' : (fields[counter.field]?.toString('latin1') ?? ''),
        end - start,
      );
      rows.push(joinTextRow(fields, plan.fields));
    },
    take() {
      if (rows.length === 0) return null;
      const payload = Buffer.concat(rows);
      rows = [];
      return payload;
    },
    end: () => null,
  };
};
