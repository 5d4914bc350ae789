/** Tables made from a manifest alone: for a restore beside the originals. */

import type { Client } from 'pg';
import type { SnapshotTable } from '../../../core/snapshot/manifest.ts';
import { ident } from '../quote.ts';

/** Schema and name of a table of the snapshot. */
export interface TablePlace {
  readonly schema: string;
  readonly name: string;
}

export const makeTables = async (
  client: Client,
  tables: readonly (readonly [SnapshotTable, TablePlace])[],
): Promise<void> => {
  const schemas = new Set(tables.map(([, { schema }]) => schema));
  for (const schema of schemas) await client.query(`CREATE SCHEMA IF NOT EXISTS ${ident(schema)}`);
  for (const [table, place] of tables) await client.query(tableSql(table, place));
};

const tableSql = ({ columns, primaryKey }: SnapshotTable, { schema, name }: TablePlace): string => {
  const names = new Set(columns.map((column) => column.name));
  const isWhole = primaryKey.length > 0 && primaryKey.every((column) => names.has(column));
  const lines = [
    ...columns.map((column) => `${ident(column.name)} ${column.type}${column.notNull ? ' NOT NULL' : ''}`),
    ...(isWhole ? [`PRIMARY KEY (${primaryKey.map(ident).join(', ')})`] : []),
  ];
  return `CREATE TABLE IF NOT EXISTS ${ident(schema)}.${ident(name)} (${lines.join(', ')})`;
};
