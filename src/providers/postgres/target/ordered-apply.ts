/**
 * Applies a batch change by change in the order of the source: the way that is always right, for batches that a
 * constraint refused as a set, tables with triggers, rows without a key, and TRUNCATE. Statements are pipelined; where
 * an update does not find its row the batch starts again, one awaited statement at a time.
 */

import {
  DELETE,
  INSERT,
  KEY_CHANGED,
  TRUNCATE,
  type Batch,
  type Variant,
} from '../../../core/change/batch.ts';
import { unchangedFields } from '../../../core/change/coalesce.ts';
import { readInt32 } from '../../../core/change/pgoutput.ts';
import { fieldOffsets, UNCHANGED_FIELD } from '../../../core/change/tuple-plan.ts';
import type { MessageWriter } from '../wire/messages.ts';
import type { Statements } from '../wire/statements.ts';
import { maskOf } from './set-apply.ts';
import { clearSql, rowDeleteSql, rowInsertSql, rowUpdateSql, type TargetTable } from './target-table.ts';

export interface OrderedWriter {
  readonly writer: MessageWriter;
  readonly statements: Statements;
  readonly batch: Batch;
  tableOf(variant: Variant): TargetTable;
  /** Formats of a row's fields: 0 text, 1 binary. */
  formatsOf(variant: Variant): readonly (0 | 1)[];
}

/** Writes one change; false where there is nothing to do for it. */
export const writeChange = (to: OrderedWriter, index: number): boolean => {
  const { batch } = to;
  const route = batch.route[index]!;
  const table = to.tableOf(route.variant);
  switch (batch.operation[index]) {
    case INSERT:
      writeInsert(to, index, fieldValues(batch.arena.bytes, batch.rowStart[index]!));
      return true;
    case DELETE: {
      const name = to.statements.prepare(to.writer, rowDeleteSql(table), keyTypes(table));
      bind(to, route.variant, name, keyValues(batch, index, table), keyFields(table));
      return true;
    }
    case TRUNCATE: {
      const { sql, values } = clearSql(table, route.scope, batch.cleared.get(index) ?? null);
      to.writer.bind(to.statements.prepare(to.writer, sql), values, 'text').execute();
      return true;
    }
    default:
      return writeUpdate(to, index, table);
  }
};

/** An insert that takes over a row that is already there: the source's version holds. */
export const writeInsert = (
  to: OrderedWriter,
  index: number,
  values: readonly (Uint8Array | null)[],
): void => {
  const { variant } = to.batch.route[index]!;
  const table = to.tableOf(variant);
  const name = to.statements.prepare(
    to.writer,
    rowInsertSql(table),
    table.columns.map((column) => column.typeOid),
  );
  bind(
    to,
    variant,
    name,
    values,
    table.columns.map((_, field) => field),
  );
};

const writeUpdate = (to: OrderedWriter, index: number, table: TargetTable): boolean => {
  const { batch } = to;
  const { variant } = batch.route[index]!;
  const withKey = (batch.flags[index]! & KEY_CHANGED) !== 0 || table.key.length === 0;
  const update = rowUpdateSql(table, maskOf(unchangedFields(batch, batch.rowStart[index]!)), withKey);
  if (!update) return false;
  const types = [...update.fields.map((field) => table.columns[field]!.typeOid), ...keyTypes(table)];
  const name = to.statements.prepare(to.writer, update.sql, types);
  const row = fieldValues(batch.arena.bytes, batch.rowStart[index]!);
  const values = [...update.fields.map((field) => row[field] ?? null), ...keyValues(batch, index, table)];
  bind(to, variant, name, values, [...update.fields, ...keyFields(table)]);
  return true;
};

const bind = (
  to: OrderedWriter,
  variant: Variant,
  name: string,
  values: readonly (Uint8Array | null)[],
  fields: readonly number[],
): void => {
  const formats = to.formatsOf(variant);
  to.writer
    .bind(
      name,
      values,
      fields.map((field) => formats[field] ?? 1),
    )
    .execute();
};

/** Fields of a written row; null for NULL and for unchanged. */
export const fieldValues = (bytes: Buffer, rowStart: number): (Uint8Array | null)[] => {
  const offsets = fieldOffsets(bytes, rowStart);
  return offsets.slice(0, -1).map((offset) => {
    const length = readInt32(bytes, offset);
    return length < 0 ? null : bytes.subarray(offset + 4, offset + 4 + length);
  });
};

export const hasUnchanged = (bytes: Buffer, rowStart: number): boolean =>
  fieldOffsets(bytes, rowStart)
    .slice(0, -1)
    .some((offset) => readInt32(bytes, offset) === UNCHANGED_FIELD);

/** Fields of the key region: the key's columns, or all of them where there is no key. */
const keyFields = (table: TargetTable): readonly number[] =>
  table.key.length > 0 ? table.key : table.columns.map((_, field) => field);

const keyTypes = (table: TargetTable): number[] =>
  keyFields(table).map((field) => table.columns[field]!.typeOid);

export const keyValues = (batch: Batch, index: number, table: TargetTable): (Uint8Array | null)[] => {
  const { bytes } = batch.arena;
  let at = batch.keyStart[index]!;
  return keyFields(table).map(() => {
    const length = readInt32(bytes, at);
    const value = length < 0 ? null : bytes.subarray(at + 4, at + 4 + length);
    at += 4 + Math.max(0, length);
    return value;
  });
};
