/**
 * One hash of everything about tables that replication rests on. Two servers with the same hash can stream to each
 * other; a hash that moved says that a stream must look again before it goes on (CORRECTNESS 9 and 14). OIDs, attribute
 * numbers, column order, statistics and sizes differ between servers that are equal, and are left out.
 */

import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { tableName, type ColumnFacts, type TableFacts, type TypeFacts } from './table.ts';

/** "sha256:…" over canonical JSON (RFC 8785). The order of `tables` does not matter. */
export const schemaHash = (tables: readonly TableFacts[], types: ReadonlyMap<number, TypeFacts>): string => {
  const used = new Map<string, object>();
  const shapes = tables.map((table) => tableShape(table, types, used)).toSorted(byName);
  const document = { tables: shapes, types: Object.fromEntries(used) };
  return `sha256:${createHash('sha256')
    .update(canonicalize(document) ?? '')
    .digest('hex')}`;
};

const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

const tableShape = (table: TableFacts, types: ReadonlyMap<number, TypeFacts>, used: Map<string, object>) => ({
  name: tableName(table),
  kind: table.kind,
  persistence: table.persistence,
  leaves: table.leaves.toSorted(),
  identity: table.identity,
  identityColumns: table.identityColumns.toSorted(),
  primaryKey: table.primaryKey,
  unique: table.indexes
    .filter((index) => index.valid && !index.primary && (index.unique || index.exclusion))
    .map((index) => JSON.stringify([index.columns, index.unique, index.immediate, index.partialOrExpression]))
    .toSorted(),
  triggers: table.triggers
    .filter((trigger) => trigger.enabled === 'A' || trigger.enabled === 'R')
    .map((trigger) => trigger.name)
    .toSorted(),
  columns: table.columns.map((column) => columnShape(column, types, used)).toSorted(byName),
});

const columnShape = (
  column: ColumnFacts,
  types: ReadonlyMap<number, TypeFacts>,
  used: Map<string, object>,
) => {
  describeType(column.typeOid, types, used);
  return {
    name: column.name,
    type: column.typeName,
    notNull: column.notNull,
    generated: column.generated,
    expression: column.generated === 'none' ? null : column.default,
    identity: column.identity,
    collation: column.collation,
  };
};

/** Adds the type, and every type that it is made of, by name. Built-in types are the same everywhere. */
const describeType = (
  oid: number,
  types: ReadonlyMap<number, TypeFacts>,
  used: Map<string, object>,
): string => {
  const type = types.get(oid);
  if (!type) return '';
  const name = `${type.schema}.${type.name}`;
  if (type.schema === 'pg_catalog' || used.has(name)) return name;
  const shape: Record<string, unknown> = { kind: type.kind, labels: type.labels, strict: type.strictDomain };
  // Set before it is complete: a composite type may contain an array of itself.
  used.set(name, shape);
  shape['element'] = describeType(type.elementOid, types, used);
  shape['base'] = describeType(type.baseOid, types, used);
  shape['baseModifier'] = type.typeModifier ?? -1;
  shape['subtype'] = describeType(type.rangeSubtypeOid, types, used);
  shape['attributes'] = type.attributes.map((part) => [part.name, describeType(part.typeOid, types, used)]);
  return name;
};
