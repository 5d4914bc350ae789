/** What a link’s policy does with the columns of a table, and the plan of its rows that follows from it. */

import { XcError } from '../errors/xc-error.ts';
import type { RelationMessage } from '../change/pgoutput.ts';
import { makeTuplePlan, type TuplePlan } from '../change/tuple-plan.ts';
import type { ColumnAction, PolicyColumn } from '../policy/column-action.ts';
import { fieldRedactor } from '../policy/redactor.ts';
import { compile, isStop } from '../policy/row-policy.ts';
import type { Link } from '../topology/link.ts';
import { tableName, type TableFacts, type TypeFacts } from '../topology/table.ts';
import type { CompileContext } from './compile-context.ts';

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

export const signatureOf = (action: ColumnAction): unknown =>
  action.kind === 'hash'
    ? ['hash', action.length, keyNumber(action.key)]
    : action.kind === 'mask'
      ? ['mask', action.text.length]
      : action.kind;

export const planOf = (
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
