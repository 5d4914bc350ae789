/** From a change of a batch to its record. Rows are redacted already: a batch never holds anything else. */

import {
  DELETE,
  INSERT,
  KEY_CHANGED,
  TRUNCATE,
  UPDATE,
  type Batch,
  type Operation,
} from '../change/batch.ts';
import { readInt16 } from '../change/pgoutput.ts';
import type { ChangeRecord, LoggedValue } from './records.ts';
import { loggedValues } from './values.ts';

/** @param row replaces the batch's own new row: one that was read again */
export const changeRecord = (
  batch: Batch,
  index: number,
  table: number,
  row?: readonly LoggedValue[],
): ChangeRecord => {
  switch (batch.operation[index] as Operation) {
    case INSERT:
      return { t: 'insert', table, new: row ?? newRow(batch, index) };
    case UPDATE: {
      const moved = (batch.flags[index]! & KEY_CHANGED) !== 0;
      return {
        t: 'update',
        table,
        ...(moved ? { old: oldKey(batch, index) } : {}),
        new: newRow(batch, index),
      };
    }
    case DELETE:
      return { t: 'delete', table, old: oldKey(batch, index) };
    case TRUNCATE:
      return { t: 'truncate', table };
  }
};

const newRow = (batch: Batch, index: number): LoggedValue[] => {
  const { bytes } = batch.arena;
  const at = batch.rowStart[index]!;
  return loggedValues(bytes, at + 2, readInt16(bytes, at));
};

/** The key's fields, or all of them where there is no key. */
const oldKey = (batch: Batch, index: number): LoggedValue[] => {
  const { plan } = batch.route[index]!.variant;
  const count = plan.key.length > 0 ? plan.key.length : plan.columns.length;
  return loggedValues(batch.arena.bytes, batch.keyStart[index]!, count);
};
