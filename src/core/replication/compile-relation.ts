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
import { misfits, type Sent } from '../schema-change/fit.ts';
import type { Link } from '../topology/link.ts';
import { isDropped } from '../topology/left-out.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import { forEachLink } from './link-fault.ts';
import {
  tableName,
  type Catalogue,
  type TableFacts,
  type TableName,
  type TypeFacts,
} from '../topology/table.ts';
import { describeRelation, isAsKnown, tableOf, type Notes } from './describe-relation.ts';
import { misfitError, noTable, renamedAway } from './misfit-error.ts';

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
  /** What was noted of the tables before: under which names the log may still have them. */
  readonly notes: Notes;
  /** Variants made so far, by what makes them equal: rows of many tenants share one. */
  readonly variants: Map<string, Variant>;
}

/**
 * @returns null where no link of the session carries the relation, or where its table was dropped since
 * @throws XcError XC-2001 to XC-2005 where a policy stops; XC-5202, XC-5220 and XC-5221 where the target does not fit;
 *   XC-5222 where nothing tells what a message of the past means; XC-5223 for a table that went out of its rule
 */
export const compileRelation = (message: RelationMessage, context: CompileContext): RelationRoutes | null => {
  const source = tableOf(message, context.source);
  if (!source) return null;
  const table = tableName(source);
  const carried = context.links.filter(({ tables }) => tables.has(table));
  if (carried.length === 0) {
    refuseRenamed(message, table, context);
    return null;
  }
  const unsent = new Set(
    source.columns.map(({ name }) => name).filter((name) => isUnsent(carried, table, name)),
  );
  const target = context.target.tables.get(table);
  const { relation, placed, gone } = describeRelation(message, source, target, context.notes, unsent);
  const keys = keyColumns(relation, source);
  // A policy's stop outranks a target that does not fit: all policies are asked before any place is looked for.
  const actions = new Map<CarriedLink, readonly ColumnAction[]>();
  forEachLink(carried, (one) => actions.set(one, actionsWithout(gone, one.link, relation, keys, context)));
  checkTarget(placed, source, actions, unsent, context);
  const named = new Map(relation.columns.map(({ name }, at) => [name, placed.columns[at]!.name]));
  const targetKeys = new Set([...keys].map((name) => named.get(name) ?? name));
  const byTenant = new Map<string, Route>();
  for (const [one, does] of actions) {
    const variant = variantOf(placed, does, source, targetKeys, context);
    const bytes = one.link.scope.kind === 'column' ? one.tenantBytes(table) : '';
    if (!byTenant.has(bytes)) byTenant.set(bytes, routeOf(one, relation, variant));
  }
  const [first] = carried;
  const scope = first!.link.scope;
  const tenantField =
    scope.kind === 'column' ? relation.columns.findIndex(({ name }) => name === scope.column) : null;
  if (tenantField === -1)
    throw new XcError('XC-5207', { subject: table, why: 'the tenant column is not sent' });
  return { tenantField, byTenant, keyless: keys.size === 0, ordered: keys.size === 0 };
};

/** Columns that every link of the table drops are left out of the publication, where it can have a column list. */
const isUnsent = (carried: readonly CarriedLink[], table: TableName, column: string): boolean =>
  carried.every(({ link }) => isDropped(link, table, column));

/**
 * The catalogue was read before the transaction was committed, and does not know the relation like that.
 * @param lookedAt where the source's log was before its catalogue was read
 */
export const isNews = (
  message: RelationMessage,
  commit: Lsn,
  lookedAt: Lsn,
  { source, links }: Pick<CompileContext, 'source' | 'links'>,
): boolean =>
  commit >= lookedAt &&
  !isAsKnown(message, source, (facts, column) => {
    const name = tableName(facts);
    const carried = links.filter(({ tables }) => tables.has(name));
    return facts.identity !== 'full' && carried.length > 0 && isUnsent(carried, name, column);
  });

/** A table that was renamed so that no rule names it any more: its rows may not be left out without a word. */
const refuseRenamed = (
  message: RelationMessage,
  table: TableName,
  { links, notes }: CompileContext,
): void => {
  const noted = notes.get(message.oid);
  const former = [...(noted?.formerly ?? []), noted?.name ?? table].filter((name) => name !== table);
  const from = links.filter(({ link }) =>
    former.some((name) => matchesPatterns(link.rule.tables ?? [], name)),
  );
  if (from.length > 0)
    throw renamedAway(
      former.at(-1)!,
      table,
      from.map(({ link }) => link),
    );
};

/** What the policy does with each column; what is gone at the source is not written either. */
const actionsWithout = (
  gone: ReadonlySet<number>,
  link: Link,
  relation: RelationMessage,
  keys: ReadonlySet<string>,
  context: CompileContext,
): readonly ColumnAction[] => {
  const live = relation.columns.filter((_, at) => !gone.has(at));
  const actions = linkActions(link, { ...relation, columns: live }, keys, context);
  let next = 0;
  return relation.columns.map((_, at): ColumnAction => (gone.has(at) ? { kind: 'drop' } : actions[next++]!));
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

/** @param relation with the target's names */
const variantOf = (
  relation: RelationMessage,
  actions: readonly ColumnAction[],
  source: TableFacts,
  keys: ReadonlySet<string>,
  context: CompileContext,
): Variant => {
  const table = tableName(relation);
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
  return variant;
};

const routeOf = (carried: CarriedLink, relation: RelationMessage, variant: Variant): Route => {
  const { link, from } = carried;
  return {
    link: link.id,
    tenant: link.tenant,
    variant,
    scope: link.scope.kind === 'column' ? { column: link.scope.column, value: link.scope.value } : null,
    from,
    ...carried.copied(tableName(relation), relation),
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

/** @throws XcError XC-5202, XC-5220 or XC-5221 with all statements that the target lacks; XC-5207 to begin again as text */
const checkTarget = (
  relation: RelationMessage,
  source: TableFacts,
  actions: ReadonlyMap<CarriedLink, readonly ColumnAction[]>,
  unsent: ReadonlySet<string>,
  context: CompileContext,
): void => {
  const table = tableName(source);
  const links = [...actions.keys()].map(({ link }) => link);
  const target = context.target.tables.get(table);
  if (!target) throw noTable(source, links, context.notes);
  const sent = sentColumns(relation, actions);
  const found = misfits(
    { table: source, types: context.source.types },
    { table: target, types: context.target.types },
    { ...sent, dropped: unsent, map: links[0]?.rule.map },
    context.notes.get(relation.oid),
  );
  if (found.length > 0) throw misfitError(found, table, links);
  if (!context.binary) return;
  const places = new Map(target.columns.map((column) => [column.name, column]));
  for (const [name, { typeOid }] of sent.columns) {
    const place = places.get(name);
    if (!place) continue;
    const why = binaryMismatch(typeOid, context.source.types, place.typeOid, context.target.types);
    if (why !== null)
      throw new XcError('XC-5207', { subject: `${table}.${name}`, why, facts: { text: true } });
  }
};

/** What reaches the target for some link, and what does so for some links only, or changed. */
const sentColumns = (
  relation: RelationMessage,
  actions: ReadonlyMap<CarriedLink, readonly ColumnAction[]>,
): Pick<Sent, 'columns' | 'mixed'> => {
  const columns = new Map<string, { readonly typeOid: number }>();
  const mixed = new Set<string>();
  for (const [at, { name, typeOid }] of relation.columns.entries()) {
    const kinds = new Set([...actions.values()].map((list) => list[at]!.kind));
    if (kinds.size > 1 || !kinds.has('drop')) columns.set(name, { typeOid });
    if (kinds.size > 1 || !kinds.has('allow')) mixed.add(name);
  }
  return { columns, mixed };
};

/** Whether some column that leaves the source must be asked for as text: then the whole stream is. */
export const needsText = (tables: readonly TableFacts[], types: ReadonlyMap<number, TypeFacts>): boolean =>
  tables.some((table) =>
    table.columns.some((column) => column.generated === 'none' && unsafeInBinary(column.typeOid, types)),
  );
