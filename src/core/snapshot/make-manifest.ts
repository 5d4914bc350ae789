/** From what was read and sent to the manifest that says so. */

import { digest } from '../plan/basis.ts';
import type { GateRow } from '../policy/gates/table.ts';
import { copyPlan } from '../replication/column-actions.ts';
import type { Link } from '../topology/link.ts';
import { schemaHash } from '../topology/schema-hash.ts';
import {
  tableName,
  type Catalogue,
  type SequenceFacts,
  type TableFacts,
  type TypeFacts,
} from '../topology/table.ts';
import type { Manifest, SnapshotPart, SnapshotTable } from './manifest.ts';
import { merkleRoot } from './merkle-root.ts';

export interface Taken extends Pick<
  Manifest,
  | 'id'
  | 'createdAt'
  | 'mode'
  | 'controlPlane'
  | 'source'
  | 'lsn'
  | 'from'
  | 'visible'
  | 'format'
  | 'compression'
  | 'config'
  | 'ddl'
> {
  readonly link: Link;
  readonly catalogue: Catalogue;
  readonly tables: readonly TableFacts[];
  readonly hashKeys: ReadonlyMap<string, Uint8Array>;
  readonly gates: readonly GateRow[];
  readonly parts: readonly SnapshotPart[];
}

export const makeManifest = (taken: Taken): Manifest => {
  // Keys are no part of it.
  const { link, catalogue, tables, hashKeys: _secret, gates, parts, ...rest } = taken;
  return {
    schemaVersion: 1,
    kind: 'snapshot',
    ...rest,
    tenant: link.tenant,
    scope: { ...link.scope },
    schemaHash: schemaHash(tables, catalogue.types),
    policy: { digest: policyDigest(link), gates: gates.map((row) => ({ ...row })) },
    tables: tables.map((table) => describeTable(table, taken)),
    types: [...ownTypes(tables, catalogue)].map(describeType(catalogue.types)),
    sequences: sequencesOf(tables, catalogue).map(({ schema, name, ownedBy, lastValue }) => ({
      schema,
      name,
      ownedBy: ownedBy && { ...ownedBy },
      lastValue,
    })),
    parts: [...parts],
    merkleRoot: merkleRoot(parts),
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  };
};

/** What decides which rows and columns leave, and how. */
export const policyDigest = ({ tenant, scope, columns, residency, rule }: Link): string =>
  digest(JSON.parse(JSON.stringify({ tenant, scope, columns, residency, leaveOut: rule.leaveOut })));

const describeTable = (facts: TableFacts, { link, catalogue, hashKeys, parts }: Taken): SnapshotTable => {
  const { plan } = copyPlan(link, facts, { source: catalogue, hashKeys });
  const name = tableName(facts);
  const own = parts.filter(({ table }) => table === name);
  const kinds = new Map(plan.fields.map((field) => [field.name, field.redactor?.kind ?? 'drop']));
  return {
    table: name,
    schema: facts.schema,
    name: facts.name,
    columns: plan.columns.map((column) => {
      const described = facts.columns.find((one) => one.name === column);
      const kind = kinds.get(column);
      return {
        name: column,
        type: described?.typeName ?? '',
        notNull: described?.notNull ?? false,
        action: kind === 'hash' || kind === 'mask' ? kind : 'allow',
      };
    }),
    primaryKey: [...facts.primaryKey],
    dropped: plan.fields.filter(({ redactor }) => redactor === null).map((field) => field.name),
    rows: own.reduce((sum, { rows }) => sum + rows, 0),
    bytes: own.reduce((sum, { bytes }) => sum + bytes, 0),
    parts: own.length,
  };
};

/** Those that the tables' columns draw from, and those of nobody in the tables' schemas. */
const sequencesOf = (tables: readonly TableFacts[], { sequences }: Catalogue): SequenceFacts[] => {
  const names = new Set(tables.map(tableName));
  const schemas = new Set(tables.map(({ schema }) => schema));
  return sequences.filter(({ ownedBy, schema }) =>
    ownedBy ? names.has(ownedBy.table) : schemas.has(schema),
  );
};

/** Types of the columns that a server does not have by itself; those that one is made of come before it. */
const ownTypes = (tables: readonly TableFacts[], { types }: Catalogue): Set<TypeFacts> => {
  const found = new Set<TypeFacts>();
  const add = (oid: number): void => {
    const type = types.get(oid);
    if (!type || type.schema === 'pg_catalog' || found.has(type)) return;
    for (const inner of [type.elementOid, type.baseOid, type.rangeSubtypeOid]) add(inner);
    found.add(type);
  };
  for (const table of tables) for (const column of table.columns) add(column.typeOid);
  return found;
};

const describeType =
  (types: ReadonlyMap<number, TypeFacts>) =>
  (type: TypeFacts): Manifest['types'][number] => {
    const base = types.get(type.baseOid || type.elementOid);
    return {
      schema: type.schema,
      name: type.name,
      kind: type.elementOid > 0 ? 'array' : type.kind,
      labels: [...type.labels],
      base: base ? `${base.schema}.${base.name}` : null,
    };
  };
