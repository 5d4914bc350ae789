/**
 * Reads one database's catalogue into the form that core knows: ten statements whatever the number of tables, with
 * PostgreSQL 15 to 18 and any role that can connect. It locks a table for no longer than it takes to ask its size.
 */

import type { Client } from 'pg';
import { ORDER_MATTERS_BYTES } from '../../../core/replication/cut.ts';
import {
  tableName,
  type Catalogue,
  type ColumnFacts,
  type RowlessFacts,
  type TableFacts,
  type TableName,
} from '../../../core/topology/table.ts';
import {
  readColumnRows,
  readCorrelations,
  readForeignKeyRows,
  readIndexRows,
  readTriggers,
  type ColumnRow,
  type IndexRow,
} from './parts.ts';
import { partitionTree, type PartitionTree } from './partition-tree.ts';
import { readSequences } from './sequences.ts';
import { readPartitionRows, readRowless, readTableRows, type TableRow } from './tables.ts';
import { readTypes } from './types.ts';

export interface CatalogueScope {
  /** Only tables of these schemas. */
  readonly schemas?: readonly string[];
  /** Only tables of these names. Leaves of a chosen partitioned table come with it, from whatever schema. */
  readonly tables?: (name: TableName) => boolean;
  /** Tables from this size on have `correlation`; by default those for which cutting asks for it. */
  readonly correlationsFromBytes?: number;
}

export const readCatalogue = async (client: Client, scope: CatalogueScope = {}): Promise<Catalogue> => {
  const tree = partitionTree(await readPartitionRows(client));
  const rows = chosen(await readTableRows(client, tree.isEmpty ? scope.schemas : undefined), tree, scope);
  const oids = rows.map((row) => row.oid);
  const columns = await readColumnRows(client, oids);
  const parts: Parts = {
    tree,
    rows: new Map(rows.map((row) => [row.oid, row])),
    columns: Map.groupBy(columns, (row) => row.table),
    correlations: await readCorrelations(client, largeTables(rows, scope)),
    indexes: Map.groupBy(await readIndexRows(client, oids), (row) => row.table),
    triggers: Map.groupBy(await readTriggers(client, oids), (row) => row.table),
    foreignKeys: Map.groupBy(await readForeignKeyRows(client, oids), (row) => row.table),
  };
  const types = await readTypes(client, [...new Set(columns.map((column) => column.type_oid))]);
  const schemas = scope.schemas ?? [...new Set(rows.map((row) => row.schema))];
  const sequences = await readSequences(client, oids, schemas);
  const tables = rows.map((row) => tableOf(row, parts));
  const named = (one: RowlessFacts): boolean => scope.tables?.(tableName(one)) ?? true;
  const rowless = (await readRowless(client, scope.schemas)).filter(named);
  return { tables: new Map(tables.map((table) => [tableName(table), table])), types, sequences, rowless };
};

const largeTables = (
  rows: readonly TableRow[],
  { correlationsFromBytes = ORDER_MATTERS_BYTES }: CatalogueScope,
): number[] =>
  rows
    .filter(({ kind, bytes }) => kind === 'r' && Number(bytes) >= correlationsFromBytes)
    .map(({ oid }) => oid);

interface Parts {
  readonly tree: PartitionTree;
  readonly rows: ReadonlyMap<number, TableRow>;
  readonly columns: ReadonlyMap<number, readonly ColumnRow[]>;
  readonly correlations: Awaited<ReturnType<typeof readCorrelations>>;
  readonly indexes: ReadonlyMap<number, readonly IndexRow[]>;
  readonly triggers: ReadonlyMap<number, Awaited<ReturnType<typeof readTriggers>>>;
  readonly foreignKeys: ReadonlyMap<number, Awaited<ReturnType<typeof readForeignKeyRows>>>;
}

const chosen = (rows: readonly TableRow[], tree: PartitionTree, scope: CatalogueScope): TableRow[] => {
  const named = rows.filter(
    (row) => (scope.schemas?.includes(row.schema) ?? true) && (scope.tables?.(tableName(row)) ?? true),
  );
  const oids = new Set(named.flatMap((row) => [row.oid, ...tree.descendants(row.oid)]));
  return rows.filter((row) => oids.has(row.oid)).toSorted((a, b) => (tableName(a) < tableName(b) ? -1 : 1));
};

const PERSISTENCE = { p: 'permanent', u: 'unlogged', t: 'temporary' } as const;
const IDENTITY = { d: 'default', n: 'nothing', f: 'full', i: 'index' } as const;
const GENERATED = { '': 'none', s: 'stored', v: 'virtual' } as const;
const ALWAYS = { '': 'none', a: 'always', d: 'by-default' } as const;

const tableOf = (row: TableRow, parts: Parts): TableFacts => {
  const correlations = parts.correlations.get(row.oid);
  const columns = (parts.columns.get(row.oid) ?? []).map((column) =>
    columnOf(column, correlations?.get(column.name) ?? null),
  );
  const indexes = parts.indexes.get(row.oid) ?? [];
  const leaves = parts.tree.leaves(row.oid);
  const sized = row.kind === 'p' ? leaves.map((leaf) => parts.rows.get(leaf.oid)) : [row];
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind: row.kind,
    persistence: PERSISTENCE[row.persistence],
    isPartition: row.is_partition,
    leaves: leaves.map((leaf) => leaf.name),
    columns,
    indexes: indexes.map(({ table: _table, replica_identity: _identity, ...facts }) => facts),
    identity: IDENTITY[row.replica_identity],
    identityColumns: identityColumns(row, columns, indexes),
    primaryKey: indexes.find((index) => index.primary)?.columns ?? [],
    triggers: (parts.triggers.get(row.oid) ?? []).map(({ table: _table, ...trigger }) => trigger),
    foreignKeys: (parts.foreignKeys.get(row.oid) ?? []).map(({ table: _table, ...key }) => key),
    rowSecurity: row.row_security,
    storage: row.storage,
    highestColumn: row.highest_column,
    estimatedRows: sumOfRows(sized),
    bytes: sized.reduce((sum, one) => sum + Number(one?.bytes ?? 0), 0),
  };
};

const columnOf = (row: ColumnRow, correlation: number | null): ColumnFacts => ({
  name: row.name,
  number: row.number,
  typeOid: row.type_oid,
  typeName: row.type_name,
  typeModifier: row.type_modifier,
  notNull: row.not_null,
  default: row.default,
  generated: GENERATED[row.generated],
  identity: ALWAYS[row.identity],
  collation: row.collation,
  ...(row.filled === null ? {} : { filled: row.filled }),
  correlation,
});

/** As the server chooses (RelationGetIndexList in relcache.c): a deferrable or invalid key identifies nothing. */
const identityColumns = (
  row: TableRow,
  columns: readonly ColumnFacts[],
  indexes: readonly IndexRow[],
): readonly string[] => {
  switch (row.replica_identity) {
    case 'n':
      return [];
    case 'f':
      return columns.filter((column) => column.generated === 'none').map((column) => column.name);
    case 'd':
      return indexes.find((index) => index.primary && usable(index))?.columns ?? [];
    case 'i':
      return indexes.find((index) => index.replica_identity && usable(index))?.columns ?? [];
  }
};

const usable = (index: IndexRow): boolean => index.immediate && index.valid && !index.partialOrExpression;

/** -1 ("never analysed") where no leaf was ever analysed; leaves that were not count as empty otherwise. */
const sumOfRows = (rows: readonly (TableRow | undefined)[]): number => {
  const known = rows.filter((row) => row !== undefined && row.estimated_rows >= 0);
  if (known.length === 0) return rows.length === 0 ? 0 : -1;
  return known.reduce((sum, row) => sum + (row?.estimated_rows ?? 0), 0);
};
