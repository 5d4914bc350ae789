/** Partition trees from pg_inherits, walked in memory: one statement reads them all, and no table is locked for it. */

import type { TableName } from '../../../core/topology/table.ts';
import { tableName } from '../../../core/topology/table-name.ts';
import type { PartitionRow } from './tables.ts';

export interface Leaf {
  readonly oid: number;
  readonly name: TableName;
}

export interface PartitionTree {
  readonly isEmpty: boolean;
  /** Partitions that hold rows, at every depth, in order of their names. */
  leaves(root: number): readonly Leaf[];
  /** Partitions at every depth, those that are partitioned themselves included. */
  descendants(root: number): readonly number[];
}

export const partitionTree = (rows: readonly PartitionRow[]): PartitionTree => {
  const children = Map.groupBy(rows, (row) => row.parent);
  const below = (root: number): PartitionRow[] =>
    (children.get(root) ?? []).flatMap((row) => [row, ...below(row.child)]);
  return {
    isEmpty: rows.length === 0,
    leaves: (root) =>
      below(root)
        .filter((row) => row.child_kind !== 'p')
        .map((row) => ({
          oid: row.child,
          name: tableName({ schema: row.child_schema, name: row.child_name }),
        }))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    descendants: (root) => below(root).map((row) => row.child),
  };
};
