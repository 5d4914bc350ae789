/**
 * How tables become parts: ranges of pages of one size, so that the same table gives the same parts when a snapshot that
 * was cut short is begun again. All are read under one snapshot, so that no row is in two of them or in none.
 */

import type { TableName } from '../topology/table.ts';
import { partsOf, type Compression, type SnapshotFormat, type SnapshotPart } from './manifest.ts';

/** What was seen of a table under the snapshot. */
export interface TableExtent {
  readonly table: TableName;
  /** Of its rows alone; of the largest partition of a partitioned table. */
  readonly pages: number;
  /** With what is kept out of line. */
  readonly bytes: number;
}

export type PlannedPart = Pick<SnapshotPart, 'number' | 'key' | 'table' | 'pages'>;

/** Pages of a part, by table: kept with a snapshot that is begun, so that it is cut alike when it goes on. */
export type Cuts = Readonly<Record<TableName, number>>;

export const cutsOf = (extents: readonly TableExtent[], chunkBytes: number): Cuts =>
  Object.fromEntries(
    extents.map(({ table, pages, bytes }) => [
      table,
      Math.max(1, Math.floor(pages * Math.min(1, chunkBytes / Math.max(1, bytes)))),
    ]),
  );

export const plannedParts = (
  id: string,
  extents: readonly TableExtent[],
  cuts: Cuts,
  form: { readonly format: SnapshotFormat; readonly compression: Compression },
): PlannedPart[] => {
  const ending = `${form.format}${form.compression === 'zstd' ? '.zst' : ''}`;
  const parts: PlannedPart[] = [];
  for (const { table, pages } of extents) {
    const each = cuts[table] ?? Math.max(1, pages);
    const count = Math.max(1, Math.ceil(pages / each));
    for (let at = 0; at < count; at++)
      parts.push({
        number: parts.length,
        key: `${partsOf(id)}${encodeURIComponent(table)}/${String(at).padStart(6, '0')}.${ending}`,
        table,
        // Pages that came after the snapshot have no row that it shows.
        pages: { from: at === 0 ? null : at * each, to: at === count - 1 ? null : (at + 1) * each },
      });
  }
  return parts;
};
