/**
 * Writes the net effect of a batch as a pipeline of set-wise statements: deletes of all tables, then updates, then
 * inserts by COPY. Each statement's expected count goes along, so that what met another state of the row is counted.
 */

import type { Batch, Variant } from '../../../core/change/batch.ts';
import type { Ranges, TableEffect } from '../../../core/change/coalesce.ts';
import { readInt16, readInt32 } from '../../../core/change/pgoutput.ts';
import type { MessageWriter } from '../wire/messages.ts';
import type { Statements } from '../wire/statements.ts';
import { copySql, setDeleteSql, setUpdateSql, type TargetTable } from './target-table.ts';

/** Binary COPY: signature, flags, length of the header's extension (PostgreSQL documentation, COPY, Binary Format). */
const COPY_HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
/** A CopyData message is cut about here: the server reads message by message. */
const COPY_MESSAGE_BYTES = 64 * 1024;

export interface Expected {
  readonly variant: Variant;
  /** Whether an update found all of its rows is for the caller to see, unless the statement counts them itself. */
  readonly kind: 'delete' | 'update' | 'counted update' | 'insert';
  readonly rows: number;
}

export const writeNetEffects = (
  writer: MessageWriter,
  statements: Statements,
  batch: Batch,
  effects: readonly TableEffect[],
  tableOf: (variant: Variant) => TargetTable,
): Expected[] => {
  const expected: Expected[] = [];
  for (const { variant, deletes } of effects) {
    if (deletes.length === 0) continue;
    const table = tableOf(variant);
    const name = statements.prepare(writer, setDeleteSql(table), [table.rowType.array]);
    writer.bindRows(name, null, () => writeKeys(writer, table, batch.arena.bytes, deletes)).execute();
    expected.push({ variant, kind: 'delete', rows: deletes.length / 2 });
  }
  for (const { variant, updates } of effects) {
    for (const [mask, rows] of updates) {
      const table = tableOf(variant);
      const count = rows.length / 2;
      const update = setUpdateSql(table, maskOf(mask), count);
      if (update === null) continue;
      const { sql, counted } = update;
      const { array } = table.rowType;
      const name = statements.prepare(writer, sql, counted ? [array, 20] : [array]);
      writer
        .bindRows(name, counted ? count : null, () => writeRows(writer, table, batch.arena.bytes, rows))
        .execute();
      expected.push({ variant, kind: counted ? 'counted update' : 'update', rows: count });
    }
  }
  for (const { variant, inserts } of effects) {
    if (inserts.length === 0) continue;
    const name = statements.prepare(writer, copySql(tableOf(variant)));
    writer.bind(name, [], 'text').execute();
    writeCopy(writer, batch.arena.bytes, inserts);
    expected.push({ variant, kind: 'insert', rows: inserts.length / 2 });
  }
  return expected;
};

/** "1,4" → {1, 4} */
export const maskOf = (mask: string): ReadonlySet<number> =>
  new Set(mask === '' ? [] : mask.split(',').map(Number));

/** Rows that lie one behind the other, as they do where nothing but inserts came, go in one piece. */
const writeCopy = (writer: MessageWriter, bytes: Buffer, rows: Ranges): void => {
  let place = writer.openCopyData();
  let started = writer.length;
  writer.raw(COPY_HEADER);
  for (let at = 0; at < rows.length;) {
    const start = rows[at]!;
    let end = rows[at + 1]!;
    const room = COPY_MESSAGE_BYTES - (writer.length - started);
    for (at += 2; at < rows.length && rows[at] === end && end - start < room; at += 2) end = rows[at + 1]!;
    writer.raw(bytes, start, end);
    if (writer.length - started < COPY_MESSAGE_BYTES) continue;
    writer.closeMessage(place);
    place = writer.openCopyData();
    started = writer.length;
  }
  writer.byte(0xff);
  writer.byte(0xff);
  writer.closeMessage(place);
  writer.copyDone();
};

/** array_send's form: dimensions, no NULL elements, element type, length, lower bound. */
const writeArrayHead = (writer: MessageWriter, elementOid: number, length: number): void => {
  writer.int32(1);
  writer.int32(0);
  writer.int32(elementOid);
  writer.int32(length);
  writer.int32(1);
};

/** Rows as record_send's form: field count, then type OID, length and bytes of each attribute. */
const writeRows = (writer: MessageWriter, table: TargetTable, bytes: Buffer, rows: Ranges): void => {
  writeArrayHead(writer, table.rowType.row, rows.length / 2);
  const offsets: number[] = [];
  for (let at = 0; at < rows.length; at += 2) {
    offsetsInto(offsets, bytes, rows[at]! + 2, readInt16(bytes, rows[at]!));
    writeRecord(writer, table, bytes, (field) => (field < 0 ? -1 : offsets[field]!));
  }
};

const writeKeys = (writer: MessageWriter, table: TargetTable, bytes: Buffer, keys: Ranges): void => {
  writeArrayHead(writer, table.rowType.row, keys.length / 2);
  const offsets: number[] = [];
  const placeOf = new Map(table.key.map((field, place) => [field, place]));
  for (let at = 0; at < keys.length; at += 2) {
    offsetsInto(offsets, bytes, keys[at]!, table.key.length);
    writeRecord(writer, table, bytes, (field) => {
      const place = placeOf.get(field);
      return place === undefined ? -1 : offsets[place]!;
    });
  }
};

const offsetsInto = (offsets: number[], bytes: Buffer, start: number, count: number): void => {
  let at = start;
  for (let index = 0; index < count; index++) {
    offsets[index] = at;
    at += 4 + Math.max(0, readInt32(bytes, at));
  }
};

const writeRecord = (
  writer: MessageWriter,
  table: TargetTable,
  bytes: Buffer,
  offsetOf: (field: number) => number,
): void => {
  writer.int32(0);
  const start = writer.length;
  writer.int32(table.attributes.length);
  for (const { typeOid, field } of table.attributes) {
    writer.int32(typeOid | 0);
    const offset = offsetOf(field);
    const length = offset < 0 ? -1 : readInt32(bytes, offset);
    if (length < 0) writer.int32(-1);
    else writer.raw(bytes, offset, offset + 4 + length);
  }
  writer.patchInt32(start - 4, writer.length - start);
};

/** Rows that a statement of the pipeline found, by its command tag: "UPDATE 3". */
const found = (tag: string | undefined): number => Number(/(\d+)$/.exec(tag ?? '')?.[1] ?? -1);

/** The first update that did not find all of its rows. @param tags one for each expectation */
export const missingRows = (expected: readonly Expected[], tags: readonly string[]): Expected | undefined =>
  expected.find(({ kind, rows }, at) => kind === 'update' && found(tags[at]) !== rows);

/** Rows that deletes were to find and did not. */
export const rowsGone = ({ kind, rows }: Expected, tag: string | undefined): number =>
  kind === 'delete' && tag !== undefined ? Math.max(0, rows - found(tag)) : 0;
