/**
 * A relation message under the names of today: the table is found by its OID, and each column by what it has become, so
 * that changes from before a rename or a DROP COLUMN still find their place.
 */

import type { RelationMessage } from '../change/pgoutput.ts';
import { XcError } from '../errors/xc-error.ts';
import { alignColumns } from '../schema-change/align.ts';
import type { ColumnNote, TableShape } from '../schema-change/shape.ts';
import { tableName, type Catalogue, type TableFacts } from '../topology/table.ts';

export interface Described {
  /** With the names of now; a column that is gone has a name that no column can have. */
  readonly relation: RelationMessage;
  /** The same with the names that the target has: that of the message, where the target still knows no other. */
  readonly placed: RelationMessage;
  readonly source: TableFacts;
  /**
   * Positions of columns that were dropped since, or are generated: their values have no place. Generated ones are sent
   * where a table of the stream cannot be published without (publications.ts).
   */
  readonly gone: ReadonlySet<number>;
}

/** By OID: what was noted of the tables of a stream. */
export type Notes = ReadonlyMap<number, TableShape>;

const byOid = new WeakMap<Catalogue, ReadonlyMap<number, TableFacts>>();

/** The table that a message is of, whatever it is called now; undefined where it was dropped, or is not known yet. */
export const tableOf = (
  relation: Pick<RelationMessage, 'oid'>,
  source: Catalogue,
): TableFacts | undefined => {
  let index = byOid.get(source);
  if (!index) {
    index = new Map([...source.tables.values()].map((table) => [table.oid, table]));
    byOid.set(source, index);
  }
  return index.get(relation.oid);
};

/**
 * Whether the message says of the table just what the catalogue does.
 * @param unsent columns that the publication leaves out
 */
export const isAsKnown = (
  relation: RelationMessage,
  source: Catalogue,
  unsent: (table: TableFacts, column: string) => boolean,
): boolean => {
  const table = tableOf(relation, source);
  if (!table || tableName(table) !== tableName(relation)) return false;
  const told = relation.columns.filter((column) => !isGenerated(table, column));
  const sent = table.columns.filter(({ name, generated }) => generated === 'none' && !unsent(table, name));
  return (
    sent.length === told.length &&
    sent.every((column, at) => {
      const other = told[at]!;
      return (
        column.name === other.name &&
        column.typeOid === other.typeOid &&
        column.typeModifier === other.typeModifier
      );
    })
  );
};

const isGenerated = (table: TableFacts, { name, typeOid }: RelationMessage['columns'][number]): boolean =>
  table.columns.some(
    (column) => column.name === name && column.typeOid === typeOid && column.generated !== 'none',
  );

/** @throws XcError XC-5222 where nothing tells which columns the message means, or its key is gone */
export const describeRelation = (
  relation: RelationMessage,
  source: TableFacts,
  target: TableFacts | undefined,
  notes: Notes,
  unsent: ReadonlySet<string>,
): Described => {
  const noted = notes.get(relation.oid);
  const byNumber = new Map<number, ColumnNote>(
    Object.entries(noted?.columns ?? {}).map(([number, note]) => [Number(number), note]),
  );
  const told = relation.columns.filter((column) => !isGenerated(source, column));
  const found = alignColumns(told, source, byNumber, unsent);
  if (!found)
    throw unreadable(
      source,
      `the log has it with the columns ${relation.columns.map(({ name }) => name).join(', ')}`,
    );
  let next = 0;
  const aligned = relation.columns.map((column) => (isGenerated(source, column) ? 'gone' : found[next++]!));
  const gone = new Set(aligned.flatMap((one, at) => (one === 'gone' ? [at] : [])));
  const lost = relation.columns.find((column, at) => column.key && gone.has(at));
  if (lost && relation.identity !== 'f')
    throw unreadable(source, `rows in the log are named by the column ${lost.name}, which was dropped since`);
  const columns = relation.columns.map((column, at) => {
    const one = aligned[at]!;
    return { ...column, name: one === 'gone' ? `${column.name} (dropped)` : one.column.name };
  });
  const now = { ...relation, schema: source.schema, name: source.name };
  const places = new Set(target?.columns.map(({ name }) => name));
  const placed = columns.map((column, at) => {
    const { name } = relation.columns[at]!;
    return gone.has(at) || places.has(column.name) || !places.has(name) ? column : { ...column, name };
  });
  return { relation: { ...now, columns }, placed: { ...now, columns: placed }, source, gone };
};

const unreadable = (table: TableFacts, why: string): XcError =>
  new XcError('XC-5222', { subject: tableName(table), why, facts: { table: tableName(table) } });
