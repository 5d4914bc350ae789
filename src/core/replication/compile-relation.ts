/**
 * From a relation, as the server describes it now, to the routes of its rows: which link a row belongs to, what each
 * link's policy does with each column, and that the target has a place for what remains. Pure, and run before a row is
 * touched: what does not fit stops here with the statement that mends it.
 */

import type { CarriedLink, CompileContext } from './compile-context.ts';
import { XcError } from '../errors/xc-error.ts';
import type { Route, Variant } from '../change/batch.ts';
import { unsafeInBinary } from '../change/binary-types.ts';
import type { Lsn } from '../change/lsn.ts';
import type { RelationMessage } from '../change/pgoutput.ts';
import type { RelationRoutes } from '../change/relation-routes.ts';
import type { ColumnAction } from '../policy/column-action.ts';
import type { Link } from '../topology/link.ts';
import { isDropped } from '../topology/left-out.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import { forEachLink } from './link-fault.ts';
import { tableName, type TableFacts, type TableName, type TypeFacts } from '../topology/table.ts';
import { describeRelation, isAsKnown, tableOf } from './describe-relation.ts';
import { renamedAway } from './misfit-error.ts';
import { keyColumns, linkActions, signatureOf, planOf } from './column-actions.ts';
import { checkTarget } from './check-target.ts';

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

/** Whether some column that leaves the source must be asked for as text: then the whole stream is. */
export const needsText = (tables: readonly TableFacts[], types: ReadonlyMap<number, TypeFacts>): boolean =>
  tables.some((table) =>
    table.columns.some((column) => column.generated === 'none' && unsafeInBinary(column.typeOid, types)),
  );
