/** Tables made from a manifest alone: for a restore beside the originals, or into a database that has none. */

import type { Client } from 'pg';
import type { Manifest, SnapshotTable } from '../../../core/snapshot/manifest.ts';
import { ident, literal } from '../quote.ts';

/** Schema and name of a table of the snapshot. */
export interface TablePlace {
  readonly schema: string;
  readonly name: string;
}

/** @param withTypes also the types of the columns that the database may lack */
export const makeTables = async (
  client: Client,
  manifest: Manifest,
  tables: readonly (readonly [SnapshotTable, TablePlace])[],
  withTypes: boolean,
): Promise<void> => {
  const schemas = new Set(tables.map(([, { schema }]) => schema));
  if (withTypes) for (const { schema } of manifest.types) schemas.add(schema);
  for (const schema of schemas) await client.query(`CREATE SCHEMA IF NOT EXISTS ${ident(schema)}`);
  if (withTypes) for (const type of manifest.types) await makeType(client, type);
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

/** Arrays come with their element's type. What belongs to an extension is the extension's to make. */
const makeType = async (client: Client, type: Manifest['types'][number]): Promise<void> => {
  const name = `${ident(type.schema)}.${ident(type.name)}`;
  const { rows } = await client.query(`SELECT FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = ${literal(type.schema)} AND t.typname = ${literal(type.name)}`);
  if (rows.length > 0) return;
  switch (type.kind) {
    case 'e':
      await client.query(`CREATE TYPE ${name} AS ENUM (${type.labels.map(literal).join(', ')})`);
      return;
    case 'd':
      await client.query(`CREATE DOMAIN ${name} AS ${quotedType(type.base ?? '')}`);
      return;
    case 'b':
      await client.query(
        `CREATE EXTENSION IF NOT EXISTS ${ident(type.name)} SCHEMA ${ident(type.schema)} CASCADE`,
      );
      return;
    default:
  }
};

const quotedType = (name: string): string => {
  const dot = name.indexOf('.');
  return `${ident(name.slice(0, dot))}.${ident(name.slice(dot + 1))}`;
};
