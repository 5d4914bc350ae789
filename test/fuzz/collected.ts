/** Rows of a stream as the collector batches them, and as the reference reading says that they should be. */

import {
  DELETE,
  INSERT,
  TRUNCATE,
  type Operation,
  UPDATE,
  type Batch,
  type Route,
} from '../../src/core/change/batch.ts';
import { Collector } from '../../src/core/change/collector.ts';
import { ZERO_LSN } from '../../src/core/change/lsn.ts';
import { decodeMessage, type RelationMessage } from '../../src/core/change/pgoutput.ts';
import type { RelationRoutes } from '../../src/core/change/relation-routes.ts';
import { makeTuplePlan } from '../../src/core/change/tuple-plan.ts';
import { fieldRedactor } from '../../src/core/policy/redactor.ts';
import { readMessage, type Field, type Reading } from './reference.ts';

/** What the target is told: by operation, link and bytes of each field. */
export interface Told {
  readonly operation: string;
  readonly link: string;
  /** Absent for a delete. */
  readonly row: readonly Field[];
  /** Of the row at the target, before the change. */
  readonly key: readonly Field[];
}

const KEYS: Readonly<Record<string, readonly string[]>> = { 'app.loose': [], 'app.owned': ['tenant', 'id'] };
const TENANTS: Readonly<Record<string, readonly string[]>> = { 'app.owned': ['a', 'b'] };
const TENANT_COLUMN = 'tenant';
const keysOf = (table: string): readonly string[] => KEYS[table] ?? ['id'];
const isCarried = (table: string): boolean => table.startsWith('app.');

/** @throws XcError whatever the decoder and the collector throw */
export const collected = (stream: readonly Buffer[]): Told[] => {
  const collector = new Collector({ routes: routesOf }, null);
  for (const message of stream) decodeMessage(message, 0, message.length, collector);
  return told(collector.batch);
};

export const routesOf = (relation: RelationMessage): RelationRoutes | null => {
  const table = `${relation.schema}.${relation.name}`;
  if (!isCarried(table)) return null;
  const keys = keysOf(table);
  const tenants = TENANTS[table];
  const field = relation.columns.findIndex(({ name }) => name === TENANT_COLUMN);
  const fields = relation.columns.map(({ name }) => ({ name, redactor: fieldRedactor({ kind: 'allow' }) }));
  const variant = {
    table: table as never,
    relation: relation.oid,
    plan: makeTuplePlan(fields, new Set(keys)),
  };
  const route = (tenant: string): Route => ({
    link: `${table} ${tenant}` as never,
    tenant,
    variant,
    scope: null,
    from: ZERO_LSN,
    seen: null,
    unseen: null,
  });
  const split = tenants !== undefined && field >= 0;
  return {
    tenantField: split ? field : null,
    byTenant: new Map((split ? tenants : ['']).map((tenant) => [tenant, route(tenant)])),
    keyless: keys.length === 0,
    ordered: keys.length === 0,
  };
};

const OPERATIONS = { [INSERT]: 'insert', [UPDATE]: 'update', [DELETE]: 'delete', [TRUNCATE]: 'truncate' };

export const told = (batch: Batch): Told[] =>
  Array.from(batch.operation.subarray(0, batch.size), (operation, index) => ({
    operation: OPERATIONS[operation as Operation],
    link: batch.route[index]!.link,
    row: written(batch, batch.rowStart[index]! + 2, batch.rowEnd[index]!),
    key: operation === INSERT ? [] : written(batch, batch.keyStart[index]!, batch.keyEnd[index]!),
  }));

const written = ({ arena }: Batch, start: number, end: number): Field[] => {
  const fields: Field[] = [];
  for (let at = start; at < end;) {
    const length = arena.bytes.readInt32BE(at);
    if (length < -2 || at + 4 + length > end) throw new Error(`a written field of ${length} bytes`);
    fields.push(
      length === -1
        ? null
        : length === -2
          ? undefined
          : Buffer.from(arena.bytes.subarray(at + 4, at + 4 + length)),
    );
    at += 4 + Math.max(0, length);
  }
  return fields;
};

/** @throws Unreadable when the collector should have refused the stream */
export const expectedOf = (stream: readonly Buffer[]): Told[] => {
  const relations = new Map<number, Extract<Reading, { kind: 'relation' }>>();
  const all: Told[] = [];
  for (const message of stream) {
    const reading = readMessage(message);
    if (reading.kind === 'relation') relations.set(reading.oid, reading);
    else all.push(...changesOf(reading, relations));
  }
  return all;
};

type Relation = Extract<Reading, { kind: 'relation' }>;

const changesOf = (reading: Reading, relations: ReadonlyMap<number, Relation>): Told[] => {
  switch (reading.kind) {
    case 'insert':
      return side('insert', relations.get(reading.oid), reading.row, []);
    case 'delete':
      return side('delete', relations.get(reading.oid), null, reading.old);
    case 'update': {
      const relation = relations.get(reading.oid);
      const { row, old, oldKind } = reading;
      const whole = row.map((field, index) => (field === undefined ? (old[index] ?? undefined) : field));
      const from = linkOf(relation, oldKind ? old : whole);
      const to = linkOf(relation, whole);
      if (from === to) return side('update', relation, whole, oldKind ? old : whole);
      return [...side('delete', relation, null, old), ...side('insert', relation, whole, [])];
    }
    case 'truncate':
      return reading.oids.flatMap((oid) => truncated(relations.get(oid)));
    default:
      return [];
  }
};

const side = (
  operation: string,
  relation: Relation | undefined,
  row: readonly Field[] | null,
  identity: readonly Field[],
): Told[] => {
  const link = linkOf(relation, row ?? identity);
  if (link === null || !relation) return [];
  return [{ operation, link, row: row ?? [], key: operation === 'insert' ? [] : keyOf(relation, identity) }];
};

const keyOf = (relation: Relation, row: readonly Field[]): Field[] => {
  const keys = keysOf(relation.name);
  return keys.length === 0
    ? [...row]
    : row.filter((_, index) => keys.includes(relation.columns[index] ?? ''));
};

const linkOf = (relation: Relation | undefined, row: readonly Field[]): string | null => {
  if (!relation || !isCarried(relation.name)) return null;
  const tenants = TENANTS[relation.name];
  const field = relation.columns.indexOf(TENANT_COLUMN);
  if (!tenants || field < 0) return `${relation.name} `;
  const tenant = row[field]?.toString('latin1') ?? '';
  return tenants.includes(tenant) ? `${relation.name} ${tenant}` : null;
};

const truncated = (relation: Relation | undefined): Told[] => {
  if (!relation || !isCarried(relation.name)) return [];
  const tenants = relation.columns.includes(TENANT_COLUMN) ? (TENANTS[relation.name] ?? ['']) : [''];
  return tenants.map((tenant) => ({
    operation: 'truncate',
    link: `${relation.name} ${tenant}`,
    row: [],
    key: [],
  }));
};
