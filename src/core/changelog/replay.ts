/**
 * From records of a log back to what a slot would have sent: drives the same handler, so that routes, policies and
 * batches are one code for both. Rows become pgoutput tuples of text values.
 */

import { XcError } from '../errors/xc-error.ts';
import { parseLsn, type Lsn } from '../change/lsn.ts';
import { POSTGRES_EPOCH_MICROS, type PgoutputHandler, type RelationMessage } from '../change/pgoutput.ts';
import { readJson, type RecordKind } from './parse.ts';
import type { TableRecord } from './records.ts';
import { parseMicros } from './time-text.ts';
import { tupleColumn } from './values.ts';

/** The relation message that describes the table's rows as the log holds them. */
export const relationOf = ({ facts, key }: TableRecord): RelationMessage => ({
  oid: facts.oid,
  schema: facts.schema,
  name: facts.name,
  identity: key.length > 0 ? 'd' : 'f',
  columns: facts.columns.map(({ name, typeOid, typeModifier }) => ({
    name,
    typeOid,
    typeModifier,
    key: key.length === 0 || key.includes(name),
  })),
});

export class Replay {
  readonly #handler: PgoutputHandler;
  readonly #tables = new Map<number, TableRecord>();
  #commitLsn: Lsn | null = null;

  constructor(handler: PgoutputHandler) {
    this.#handler = handler;
  }

  table(record: TableRecord): void {
    this.#tables.set(record.table, record);
    this.#handler.relation(relationOf(record));
  }

  /**
   * One line of a transaction.
   * @param where names the line in errors
   * @throws XcError XC-5036 for a record that does not fit its table
   */
  line(kind: RecordKind, text: string, where: string): void {
    const record = readJson(text, where) as Readonly<Record<string, unknown>>;
    try {
      if (kind === 'begin') this.#begin(record);
      else if (kind === 'commit') this.#commit(record);
      else this.#change(kind, record);
    } catch (error) {
      if (!(error instanceof XcError) || error.subject !== undefined) throw error;
      throw new XcError(error.code, { subject: where, why: error.why ?? '' });
    }
  }

  #begin({ lsn, xid }: Readonly<Record<string, unknown>>): void {
    this.#commitLsn = parseLsn(String(lsn));
    this.#handler.begin(this.#commitLsn, 0, Number(xid));
  }

  #commit({ lsn, at }: Readonly<Record<string, unknown>>): void {
    const micros = parseMicros(String(at));
    if (micros === null || this.#commitLsn === null) throw malformed('a commit without time or begin');
    this.#handler.commit(this.#commitLsn, parseLsn(String(lsn)), Number(micros) - POSTGRES_EPOCH_MICROS);
    this.#commitLsn = null;
  }

  #change(kind: RecordKind, record: Readonly<Record<string, unknown>>): void {
    const table = this.#tables.get(Number(record['table']));
    if (!table) throw malformed('a row of a table that the file does not describe');
    switch (kind) {
      case 'insert': {
        const row = tuple([fullRow(table, record['new'])]);
        return this.#handler.insert(table.facts.oid, row.bytes, row.starts[0]!, row.bytes.length);
      }
      case 'delete': {
        const row = tuple([oldRow(table, record['old'])]);
        return this.#handler.delete(
          table.facts.oid,
          row.bytes,
          oldKind(table),
          row.starts[0]!,
          row.bytes.length,
        );
      }
      case 'update':
        return this.#update(table, record);
      case 'truncate':
        return this.#handler.truncate([table.facts.oid]);
      default:
        throw malformed(`a ${kind} inside a transaction`);
    }
  }

  #update(table: TableRecord, record: Readonly<Record<string, unknown>>): void {
    const old = record['old'];
    const rows = old === undefined ? [] : [oldRow(table, old)];
    const { bytes, starts } = tuple([...rows, fullRow(table, record['new'])]);
    const kind = old === undefined ? null : oldKind(table);
    this.#handler.update(table.facts.oid, bytes, kind, kind ? starts[0]! : -1, starts.at(-1)!, bytes.length);
  }
}

const malformed = (why: string): XcError => new XcError('XC-5036', { why });

const oldKind = ({ key }: TableRecord): 'K' | 'O' => (key.length > 0 ? 'K' : 'O');

const fullRow = ({ columns }: TableRecord, values: unknown): readonly unknown[] => {
  if (!Array.isArray(values) || values.length !== columns.length)
    throw malformed(`a row that has not ${columns.length} values`);
  return values;
};

/** Columns outside the key are not known, and are not looked at. */
const oldRow = (table: TableRecord, values: unknown): readonly unknown[] => {
  const { columns, key } = table;
  if (key.length === 0) return fullRow(table, values);
  if (!Array.isArray(values) || values.length !== key.length)
    throw malformed(`a key that has not ${key.length} values`);
  const named = columns.filter((name) => key.includes(name));
  return columns.map((name): unknown => (key.includes(name) ? values[named.indexOf(name)] : null));
};

/** Tuples one after another: int16 column count, then the columns. */
const tuple = (rows: readonly (readonly unknown[])[]): { bytes: Buffer; starts: number[] } => {
  const starts: number[] = [];
  const parts: Buffer[] = [];
  let at = 0;
  for (const row of rows) {
    starts.push(at);
    const count = Buffer.allocUnsafe(2);
    count.writeInt16BE(row.length);
    parts.push(count, ...row.map(tupleColumn));
    at = parts.reduce((sum, part) => sum + part.length, 0);
  }
  return { bytes: Buffer.concat(parts), starts };
};
