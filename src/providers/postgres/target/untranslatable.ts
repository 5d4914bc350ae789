/**
 * Which value of a row the target's encoding has no characters for. The server names only the bytes; the row that was
 * sent has them in one of its fields. Of the row nothing is told but its key, as it is after policy.
 */

import type { Batch } from '../../../core/change/batch.ts';
import { DELETE } from '../../../core/change/batch.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { ServerError } from '../wire/server-error.ts';
import { fieldValues, keyValues } from './ordered-apply.ts';
import type { OrderedPorts } from './ordered-batch.ts';

/** character_not_in_repertoire, untranslatable_character. */
const ENCODING_STATES = new Set(['22021', '22P05']);

export const isUntranslatable = ({ sqlState }: ServerError): boolean => ENCODING_STATES.has(sqlState);

export interface Untranslatable {
  /** null where no field has the bytes by themselves. */
  readonly column: string | null;
  /** Text of the key's columns: of numbers, texts and uuids their value, of other binary values their bytes. */
  readonly key: Readonly<Record<string, string | null>>;
}

/** The bytes that the message names: `byte sequence 0xe2 0x82 0xac in encoding "UTF8"`. */
export const bytesNamed = ({ message }: ServerError): Buffer | null => {
  const found = /0x[0-9a-f]{2}(?: 0x[0-9a-f]{2})*/.exec(message);
  return found ? Buffer.from(found[0].replaceAll(/0x| /g, ''), 'hex') : null;
};

export const untranslatable = (
  batch: Batch,
  index: number,
  error: ServerError,
  ports: Pick<OrderedPorts, 'tableOf' | 'formatsOf'>,
): Untranslatable => {
  const { variant } = batch.route[index]!;
  const table = ports.tableOf(variant);
  const formats = ports.formatsOf(variant);
  const { columns } = variant.plan;
  const fieldsOfKey = table.key.length > 0 ? table.key : columns.map((_, field) => field);
  const isDelete = batch.operation[index] === DELETE;
  const row = isDelete ? [] : fieldValues(batch.arena.bytes, batch.rowStart[index]!);
  const keyOf = (): (Uint8Array | null)[] =>
    isDelete ? keyValues(batch, index, table) : table.key.map((field) => row[field] ?? null);
  const key = keyOf();
  const wanted = bytesNamed(error);
  const holds = (value: Uint8Array | null | undefined): boolean =>
    wanted !== null && value !== null && value !== undefined && Buffer.from(value).includes(wanted);
  const field = isDelete
    ? fieldsOfKey[key.findIndex(holds)]
    : (firstOf(columns.length, (at) => formats[at] === 0 || isText(table.columns[at]?.typeOid), row, holds) ??
      firstOf(columns.length, () => true, row, holds));
  return {
    column: field === undefined ? null : (columns[field] ?? null),
    key: Object.fromEntries(
      key.map((value, at) => {
        const place = fieldsOfKey[at]!;
        return [columns[place]!, textOf(value, formats[place] ?? 1, table.columns[place]?.typeOid ?? 0)];
      }),
    ),
  };
};

const firstOf = (
  count: number,
  among: (field: number) => boolean,
  row: readonly (Uint8Array | null)[],
  holds: (value: Uint8Array | null | undefined) => boolean,
): number | undefined =>
  Array.from({ length: count }, (_, field) => field).find((field) => among(field) && holds(row[field]));

/** OIDs of pg_type.dat: "char", name, text, json, xml, bpchar, varchar. */
const TEXTS = new Set([18, 19, 25, 114, 142, 1042, 1043]);
const isText = (oid: number | undefined): boolean => oid !== undefined && TEXTS.has(oid);

const textOf = (value: Uint8Array | null, format: 0 | 1, oid: number): string | null => {
  if (value === null) return null;
  const bytes = Buffer.from(value);
  if (format === 0 || isText(oid)) return bytes.toString('utf8');
  // int2, int4, int8 (network order), uuid.
  if (oid === 21 || oid === 23) return String(bytes.readIntBE(0, bytes.length));
  if (oid === 20) return String(bytes.readBigInt64BE());
  return bytes.toString('hex');
};

/** @param facts of the table and the links that it concerns */
export const encodingError = (
  error: ServerError,
  subject: string,
  { column, key }: Untranslatable,
  facts: Readonly<Record<string, unknown>>,
): XcError => {
  const row = Object.entries(key).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return new XcError('XC-5266', {
    subject,
    why: [
      ...(column === null ? [] : [`column "${column}"`]),
      ...(row.length === 0 ? [] : [`row ${row.join(' ')}`]),
      error.message,
    ].join(', '),
    facts: { ...facts, sqlState: error.sqlState, column, key },
    cause: error,
  });
};
