/**
 * What is noted of a table of the source from look to look, and what it tells when it differs: names of columns by their
 * numbers, the files that the rows lie in, the partitions. A rewrite of a table, a partition that comes or goes and a
 * TRUNCATE of one emit no change (CORRECTNESS 9 and 14); only such a comparison sees them.
 */

import { tableName, type Catalogue, type TableFacts, type TableName } from '../topology/table.ts';

export interface ColumnNote {
  /** The name that it has, or had when it was dropped. */
  readonly name: string;
  readonly type: string;
  readonly formerly: readonly string[];
  readonly gone: boolean;
}

export interface TableShape {
  readonly name: TableName;
  readonly formerly: readonly TableName[];
  /** pg_class.relfilenode: another one after a rewrite or TRUNCATE. */
  readonly storage: number;
  readonly identity: string;
  /** By number. */
  readonly columns: Readonly<Record<string, ColumnNote>>;
  /** Leaves of a partitioned table, each with its storage. */
  readonly leaves: Readonly<Record<TableName, number>>;
}

export type ShapeChange =
  | { readonly kind: 'table-renamed'; readonly from: TableName }
  | { readonly kind: 'column-added' | 'column-dropped'; readonly column: string }
  | { readonly kind: 'column-renamed'; readonly column: string; readonly from: string }
  | { readonly kind: 'column-retyped'; readonly column: string; readonly from: string; readonly to: string }
  | { readonly kind: 'identity-changed'; readonly from: string; readonly to: string }
  /** Rows may have other values than those that were sent. */
  | { readonly kind: 'rewritten' }
  | { readonly kind: 'leaf-attached' | 'leaf-detached' | 'leaf-rewritten'; readonly leaf: TableName };

export const shapeOf = (table: TableFacts, catalogue: Catalogue): TableShape => ({
  name: tableName(table),
  formerly: [],
  storage: table.storage ?? 0,
  identity: `${table.identity} (${table.identityColumns.join(', ')})`,
  columns: Object.fromEntries(
    table.columns
      .filter((column) => column.generated === 'none')
      .map(({ number, name, typeName }) => [number, { name, type: typeName, formerly: [], gone: false }]),
  ),
  leaves: Object.fromEntries(
    table.leaves.map((leaf) => [leaf, catalogue.tables.get(leaf)?.storage ?? 0] as const),
  ),
});

/** What is to be noted from now on: names that were given up are kept, because messages of then still have them. */
export const carriedOn = (before: TableShape, now: TableShape): TableShape => {
  const columns: Record<string, ColumnNote> = {};
  for (const [number, note] of Object.entries(before.columns))
    if (!now.columns[number]) columns[number] = { ...note, gone: true };
  for (const [number, note] of Object.entries(now.columns)) {
    const known = before.columns[number];
    columns[number] = { ...note, formerly: known ? renamed(known, note.name) : [] };
  }
  return { ...now, formerly: renamed(before, now.name), columns };
};

const renamed = (
  before: { readonly name: string; readonly formerly: readonly string[] },
  name: string,
): readonly string[] =>
  before.name === name ? before.formerly : [...before.formerly.filter((one) => one !== name), before.name];

export const shapeChanges = (before: TableShape, now: TableShape): ShapeChange[] => [
  ...(before.name === now.name ? [] : [{ kind: 'table-renamed', from: before.name } as const]),
  ...columnChanges(before, now),
  ...(before.identity === now.identity
    ? []
    : [{ kind: 'identity-changed', from: before.identity, to: now.identity } as const]),
  ...(before.storage === now.storage ? [] : [{ kind: 'rewritten' } as const]),
  ...leafChanges(before, now),
];

const columnChanges = (before: TableShape, now: TableShape): ShapeChange[] => {
  const changes: ShapeChange[] = [];
  for (const [number, note] of Object.entries(before.columns))
    if (!note.gone && !now.columns[number]) changes.push({ kind: 'column-dropped', column: note.name });
  for (const [number, { name, type }] of Object.entries(now.columns)) {
    const known = before.columns[number];
    if (!known) changes.push({ kind: 'column-added', column: name });
    else if (known.name !== name) changes.push({ kind: 'column-renamed', column: name, from: known.name });
    if (known && known.type !== type)
      changes.push({ kind: 'column-retyped', column: name, from: known.type, to: type });
  }
  return changes;
};

const leafChanges = (before: TableShape, now: TableShape): ShapeChange[] => [
  ...Object.keys(before.leaves)
    .filter((leaf) => now.leaves[leaf] === undefined)
    .map((leaf) => ({ kind: 'leaf-detached', leaf }) as const),
  ...Object.entries(now.leaves).flatMap(([leaf, storage]): ShapeChange[] => {
    const known = before.leaves[leaf];
    if (known === undefined) return [{ kind: 'leaf-attached', leaf }];
    return known === storage ? [] : [{ kind: 'leaf-rewritten', leaf }];
  }),
];

/** Rows of the target may differ although every change that was sent was applied: only a comparison tells. */
export const mayDiffer = (change: ShapeChange): boolean =>
  change.kind === 'rewritten' ||
  change.kind === 'column-retyped' ||
  change.kind === 'leaf-attached' ||
  change.kind === 'leaf-detached' ||
  change.kind === 'leaf-rewritten';
