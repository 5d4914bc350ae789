/**
 * A table as a log describes it: what of it leaves the source, so that a replay can be planned, compiled and refused
 * without the source. Columns that a policy drops are not in it.
 */

import type { RelationColumn } from '../change/pgoutput.ts';
import type { TuplePlan } from '../change/tuple-plan.ts';
import type { Catalogue, ColumnFacts, TableFacts, TypeFacts } from '../topology/table.ts';
import { tableName } from '../topology/table.ts';
import type { TableRecord } from './records.ts';

export type TableDraft = Omit<TableRecord, 't' | 'table'>;

/**
 * @param columns the relation's, in the order of the plan's fields; the catalogue may have changed since
 */
export const tableDraft = (
  source: TableFacts,
  columns: readonly Pick<RelationColumn, 'name' | 'typeOid' | 'typeModifier'>[],
  plan: TuplePlan,
  types: Catalogue['types'],
): TableDraft => {
  // A relation that was renamed since is called as the plan calls it.
  const sent = columns.flatMap((column, at) => {
    const field = plan.fields[at];
    return field && field.redactor !== null ? [{ ...column, name: field.name }] : [];
  });
  const key = plan.key.map((field) => plan.columns[field]!);
  const redacted: Record<string, 'hash' | 'mask'> = {};
  for (const { name, redactor } of plan.fields)
    if (redactor?.kind === 'hash' || redactor?.kind === 'mask') redacted[name] = redactor.kind;
  return {
    name: tableName(source),
    columns: plan.columns,
    key,
    redacted,
    facts: factsOf(source, sent, key, types),
    types: typesOf(sent, types),
  };
};

/** Partitions, triggers and row security are the source's own affair: rows come under the name of the whole table. */
const factsOf = (
  source: TableFacts,
  sent: readonly Pick<RelationColumn, 'name' | 'typeOid' | 'typeModifier'>[],
  key: readonly string[],
  types: Catalogue['types'],
): TableFacts => {
  const names = new Set(sent.map(({ name }) => name));
  const within = (columns: readonly string[]): boolean => columns.every((name) => names.has(name));
  return {
    ...source,
    kind: 'r',
    isPartition: false,
    leaves: [],
    columns: sent.map((column, at) => columnFacts(source, column, at + 1, types)),
    indexes: source.indexes.filter((index) => within(index.columns) && !index.partialOrExpression),
    identity: key.length > 0 ? 'default' : 'full',
    identityColumns: key.length > 0 ? key : sent.map(({ name }) => name),
    primaryKey: within(source.primaryKey) ? source.primaryKey : [],
    triggers: [],
    rowSecurity: false,
  };
};

const columnFacts = (
  source: TableFacts,
  column: Pick<RelationColumn, 'name' | 'typeOid' | 'typeModifier'>,
  number: number,
  types: Catalogue['types'],
): ColumnFacts => {
  const known = source.columns.find(({ name }) => name === column.name);
  const isSame = known?.typeOid === column.typeOid && known.typeModifier === column.typeModifier;
  const { name, typeOid, typeModifier } = column;
  return {
    name,
    number,
    typeOid,
    typeModifier,
    typeName: isSame ? known.typeName : (types.get(typeOid)?.name ?? 'unknown'),
    notNull: known?.notNull ?? false,
    default: null,
    generated: 'none',
    identity: known?.identity ?? 'none',
    collation: known?.collation ?? null,
    correlation: null,
  };
};

/** The columns' types, and what those are made of at any depth. */
const typesOf = (
  columns: readonly Pick<RelationColumn, 'typeOid'>[],
  types: Catalogue['types'],
): TypeFacts[] => {
  const found = new Map<number, TypeFacts>();
  const add = (oid: number): void => {
    const type = types.get(oid);
    if (!type || found.has(oid)) return;
    found.set(oid, type);
    for (const inner of [type.elementOid, type.baseOid, type.rangeSubtypeOid]) add(inner);
    for (const attribute of type.attributes) add(attribute.typeOid);
  };
  for (const { typeOid } of columns) add(typeOid);
  return [...found.values()].toSorted((a, b) => a.oid - b.oid);
};

/** The catalogue that tables of a log make together. */
export const loggedCatalogue = (tables: Iterable<TableDraft>): Catalogue => {
  const all = [...tables];
  return {
    tables: new Map(all.map(({ name, facts }) => [name, facts])),
    types: new Map(all.flatMap(({ types }) => types.map((type) => [type.oid, type] as const))),
    sequences: [],
  };
};
