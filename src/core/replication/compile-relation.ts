/**
 * From a relation, as the server describes it now, to the routes of its rows: which link a row belongs to, what each
 * link's policy does with each column, and that the target has a place for what remains. Pure, and run before a row is
 * touched: what does not fit stops here with the statement that mends it.
 */

import { XcError } from '../errors/xc-error.ts';
import type { Route, Variant } from '../change/batch.ts';
import { binaryMismatch, unsafeInBinary } from '../change/binary-types.ts';
import type { Lsn } from '../change/lsn.ts';
import type { RelationMessage } from '../change/pgoutput.ts';
import type { RelationRoutes } from '../change/relation-routes.ts';
import { makeTuplePlan, type TuplePlan } from '../change/tuple-plan.ts';
import type { ColumnAction, PolicyColumn } from '../policy/column-action.ts';
import { fieldRedactor } from '../policy/redactor.ts';
import { compile, isStop } from '../policy/row-policy.ts';
import type { Link } from '../topology/link.ts';
import { targetColumn } from '../topology/mapping.ts';
import { quoteName, quoteTable } from '../topology/quote.ts';
import {
  tableName,
  type Catalogue,
  type TableFacts,
  type TableName,
  type TypeFacts,
} from '../topology/table.ts';

/** A link as a session carries it. */
export interface CarriedLink {
  readonly link: Link;
  readonly from: Lsn;
  readonly tables: ReadonlySet<TableName>;
  /** Bytes of the tenant's value in the form in which the column of this table is sent, as latin1. */
  tenantBytes(table: TableName): string;
  /** Judges what a later chunk of the copy already holds; null where the table had one snapshot. */
  copied(table: TableName, relation: RelationMessage): Pick<Route, 'seen' | 'unseen'>;
}

export interface CompileContext {
  readonly source: Catalogue;
  readonly target: Catalogue;
  readonly links: readonly CarriedLink[];
  readonly hashKeys: ReadonlyMap<string, Uint8Array>;
  /** Values are sent in binary where their type has a binary form. */
  readonly binary: boolean;
  /** Variants made so far, by what makes them equal: rows of many tenants share one. */
  readonly variants: Map<string, Variant>;
}

/**
 * @returns null where no link of the session carries the relation
 * @throws XcError XC-2001 to XC-2005 where a policy stops, XC-5202 where the target does not fit
 */
export const compileRelation = (
  relation: RelationMessage,
  context: CompileContext,
): RelationRoutes | null => {
  const table = tableName(relation);
  const carried = context.links.filter(({ tables }) => tables.has(table));
  if (carried.length === 0) return null;
  const source = context.source.tables.get(table);
  const target = context.target.tables.get(table);
  if (!source)
    throw new XcError('XC-5207', {
      subject: table,
      why: 'it was created or renamed after this session began',
    });
  if (!target)
    throw new XcError('XC-5202', {
      subject: table,
      why: 'the target has no such table',
      next: `xcrepl schema plan --from ${carried[0]!.link.source} --to ${carried[0]!.link.target}`,
    });
  const keys = keyColumns(relation, source);
  const byTenant = new Map<string, Route>();
  // A policy's stop outranks a target that does not fit: all policies are asked before any place is looked for.
  const actions = new Map(carried.map((one) => [one, linkActions(one.link, relation, keys, context)]));
  for (const [one, does] of actions) {
    const route = routeOf(one, relation, does, source, target, keys, context);
    const bytes = one.link.scope.kind === 'column' ? one.tenantBytes(table) : '';
    if (!byTenant.has(bytes)) byTenant.set(bytes, route);
  }
  const [first] = carried;
  const scope = first!.link.scope;
  const tenantField =
    scope.kind === 'column' ? relation.columns.findIndex(({ name }) => name === scope.column) : null;
  if (tenantField === -1)
    throw new XcError('XC-5207', { subject: table, why: 'the tenant column is not sent' });
  return { tenantField, byTenant, keyless: keys.size === 0, ordered: keys.size === 0 };
};

/** A column of the relation that the catalogue does not have like that; null where it knows them all. */
export const unknownColumn = (relation: RelationMessage, source: Catalogue): string | null => {
  const table = source.tables.get(tableName(relation));
  if (!table) return null;
  const known = new Map(table.columns.map((column) => [column.name, column]));
  const unknown = relation.columns.find(({ name, typeOid, typeModifier }) => {
    const column = known.get(name);
    return column?.typeOid !== typeOid || column.typeModifier !== typeModifier;
  });
  return unknown?.name ?? null;
};

/** The identity's columns; under FULL the primary key, which finds the row faster and as surely. */
export const keyColumns = (
  relation: Pick<RelationMessage, 'identity' | 'columns'>,
  source: TableFacts,
): ReadonlySet<string> => {
  if (relation.identity !== 'f') {
    const keys = relation.columns.filter((column) => column.key).map((column) => column.name);
    return new Set(keys.length > 0 ? keys : source.primaryKey);
  }
  const sent = new Set(relation.columns.map((column) => column.name));
  return new Set(source.primaryKey.every((name) => sent.has(name)) ? source.primaryKey : []);
};

const routeOf = (
  carried: CarriedLink,
  relation: RelationMessage,
  actions: readonly ColumnAction[],
  source: TableFacts,
  target: TableFacts,
  keys: ReadonlySet<string>,
  context: CompileContext,
): Route => {
  const { link } = carried;
  const table = tableName(relation);
  checkTarget(link, relation, actions, target, context);
  const signature = JSON.stringify([
    table,
    relation.columns.map(({ name }, at) => [name, signatureOf(actions[at]!)]),
    [...keys],
  ]);
  let variant = context.variants.get(signature);
  if (!variant) {
    variant = { table, relation: source.oid, plan: planOf(relation, actions, keys) };
    context.variants.set(signature, variant);
  }
  return {
    link: link.id,
    tenant: link.tenant,
    variant,
    scope: link.scope.kind === 'column' ? { column: link.scope.column, value: link.scope.value } : null,
    from: carried.from,
    ...carried.copied(table, relation),
  };
};

/** What the link's policy does with each column of the relation, in its order. @throws XcError the policy's stop */
export const linkActions = (
  link: Link,
  relation: Pick<RelationMessage, 'schema' | 'name' | 'columns'>,
  keys: ReadonlySet<string>,
  { source, hashKeys }: Pick<CompileContext, 'source' | 'hashKeys'>,
): readonly ColumnAction[] => {
  const columns = relation.columns.map((column): PolicyColumn => ({
    name: column.name,
    typeOid: column.typeOid,
    ...baseType(column.typeOid, column.typeModifier, source.types),
    isKey: keys.has(column.name),
  }));
  const { tenant, scope, columns: rules, rule } = link;
  const actions = compile(
    { table: tableName(relation), columns },
    { tenant, scope, columns: rules, rule, hashKeys },
  );
  if (isStop(actions)) {
    const { code, table, column, why, next } = actions;
    throw new XcError(code, {
      subject: `${table}.${column}`,
      why,
      next,
      facts: { link: link.id, table, column },
    });
  }
  return actions;
};

/** The type underneath all domains, and the modifier that goes with it. */
const baseType = (
  typeOid: number,
  typeModifier: number,
  types: ReadonlyMap<number, TypeFacts>,
): { typeName: string; typeModifier: number } => {
  const type = types.get(typeOid);
  if (type?.kind !== 'd') return { typeName: type?.name ?? 'unknown', typeModifier };
  return baseType(type.baseOid, type.typeModifier ?? -1, types);
};

/** Secrets are told apart by identity, so that no text is ever made of one. */
const keyNumbers = new WeakMap<Uint8Array, number>();
let lastKeyNumber = 0;
const keyNumber = (key: Uint8Array): number => {
  let number = keyNumbers.get(key);
  if (number === undefined) keyNumbers.set(key, (number = ++lastKeyNumber));
  return number;
};

const signatureOf = (action: ColumnAction): unknown =>
  action.kind === 'hash'
    ? ['hash', action.length, keyNumber(action.key)]
    : action.kind === 'mask'
      ? ['mask', action.text.length]
      : action.kind;

const planOf = (
  relation: Pick<RelationMessage, 'columns'>,
  actions: readonly ColumnAction[],
  keys: ReadonlySet<string>,
): TuplePlan =>
  makeTuplePlan(
    relation.columns.map(({ name }, at) => {
      const action = actions[at]!;
      return { name, redactor: action.kind === 'drop' ? null : fieldRedactor(action) };
    }),
    keys,
  );

/** The plan of a table that is copied: its columns in their order, without generated ones. */
export const copyPlan = (
  link: Link,
  source: TableFacts,
  context: Pick<CompileContext, 'source' | 'hashKeys'>,
): { plan: TuplePlan; signature: string } => {
  const columns = source.columns
    .filter((column) => column.generated === 'none')
    .map(({ name, typeOid, typeModifier }) => ({
      name,
      typeOid,
      typeModifier,
      key: source.identityColumns.includes(name),
    }));
  const identity = source.identity === 'full' ? 'f' : 'd';
  const keys = keyColumns({ identity, columns }, source);
  const actions = linkActions(link, { ...source, columns }, keys, context);
  return { plan: planOf({ columns }, actions, keys), signature: JSON.stringify(actions.map(signatureOf)) };
};

const checkTarget = (
  link: Link,
  relation: RelationMessage,
  actions: readonly ColumnAction[],
  target: TableFacts,
  context: CompileContext,
): void => {
  const places = new Map(target.columns.map((column) => [column.name, column]));
  for (const [at, column] of relation.columns.entries()) {
    if (actions[at]!.kind === 'drop') continue;
    const place = places.get(column.name);
    const subject = `${tableName(relation)}.${column.name}`;
    if (!place) {
      const type =
        context.source.tables.get(tableName(relation))?.columns.find(({ name }) => name === column.name)
          ?.typeName ?? 'TYPE';
      const name = targetColumn(link.rule.map, tableName(relation), column.name);
      const next = `ALTER TABLE ${quoteTable(target)} ADD COLUMN ${quoteName(name)} ${type};`;
      throw new XcError('XC-5202', {
        subject,
        why: `link ${link.id} sends it, and the target has no such column`,
        next,
      });
    }
    const why =
      context.binary && actions[at]!.kind === 'allow'
        ? binaryMismatch(column.typeOid, context.source.types, place.typeOid, context.target.types)
        : null;
    if (why !== null) throw new XcError('XC-5202', { subject, why });
  }
};

/** Whether some column that leaves the source must be asked for as text: then the whole stream is. */
export const needsText = (tables: readonly TableFacts[], types: ReadonlyMap<number, TypeFacts>): boolean =>
  tables.some((table) =>
    table.columns.some((column) => column.generated === 'none' && unsafeInBinary(column.typeOid, types)),
  );
