/**
 * How a target table differs from its source, one difference each, as far as replication cares. The order of columns
 * does not matter: rows are sent by name.
 */

import { tableName } from '../topology/table-name.ts';
import type { ColumnFacts, TableFacts, TypeFacts } from '../topology/table.ts';

export type TypesByOid = ReadonlyMap<number, TypeFacts>;

export type TableDifference =
  | { readonly kind: 'missing-column'; readonly column: ColumnFacts }
  /** `widening`: every value of the source's type fits the target's. */
  | {
      readonly kind: 'type-differs';
      readonly column: ColumnFacts;
      readonly target: ColumnFacts;
      readonly why: string;
      readonly widening: boolean;
      /** The types of one name that are made differently: the column's own, or one inside of it; null for two names. */
      readonly made: { readonly source: TypeFacts; readonly target: TypeFacts } | null;
    }
  | { readonly kind: 'extra-required-column'; readonly column: ColumnFacts }
  | { readonly kind: 'extra-column'; readonly column: ColumnFacts }
  | { readonly kind: 'target-not-null'; readonly column: ColumnFacts }
  /** The target computes what the source sends. */
  | { readonly kind: 'target-generated'; readonly column: ColumnFacts }
  /** The source computes what it therefore does not send, and the target does not. */
  | { readonly kind: 'source-generated'; readonly column: ColumnFacts; readonly target: ColumnFacts }
  | { readonly kind: 'expression-differs'; readonly column: ColumnFacts; readonly target: ColumnFacts }
  | { readonly kind: 'collation-differs'; readonly column: ColumnFacts; readonly target: ColumnFacts };

export interface Side {
  readonly table: TableFacts;
  readonly types: TypesByOid;
}

/** @param dropped columns that no link sends, and that may therefore be missing on the target */
export const diffTables = (source: Side, target: Side, dropped: ReadonlySet<string>): TableDifference[] => {
  const onTarget = new Map(target.table.columns.map((column) => [column.name, column]));
  const onSource = new Set(source.table.columns.map((column) => column.name));
  const differences = source.table.columns.flatMap((column) => {
    const other = onTarget.get(column.name);
    if (!other) return missing(column, dropped);
    return [
      ...(dropped.has(column.name) ? [] : generationDifferences(column, other)),
      ...typeDifferences(column, other, source.types, target.types),
      ...nullDifferences(column, other, dropped),
    ];
  });
  const extra = target.table.columns
    .filter((column) => !onSource.has(column.name))
    .map((column): TableDifference => ({
      kind: isRequired(column) ? 'extra-required-column' : 'extra-column',
      column,
    }));
  return [...differences, ...extra];
};

/** A generated column is not sent, and so may be missing. */
const missing = (column: ColumnFacts, dropped: ReadonlySet<string>): TableDifference[] =>
  column.generated !== 'none' || dropped.has(column.name) ? [] : [{ kind: 'missing-column', column }];

/** An insert that does not name the column would fail. */
export const isRequired = (column: ColumnFacts): boolean =>
  column.notNull && column.default === null && column.identity === 'none' && column.generated === 'none';

const generationDifferences = (source: ColumnFacts, target: ColumnFacts): TableDifference[] => {
  if (source.generated === 'none')
    return target.generated === 'none' ? [] : [{ kind: 'target-generated', column: target }];
  if (target.generated === 'none') return [{ kind: 'source-generated', column: source, target }];
  return source.default === target.default ? [] : [{ kind: 'expression-differs', column: source, target }];
};

const nullDifferences = (
  source: ColumnFacts,
  target: ColumnFacts,
  dropped: ReadonlySet<string>,
): TableDifference[] => {
  if (source.generated !== 'none' || target.generated !== 'none') return [];
  const canBeNull = dropped.has(source.name) ? isRequired(target) : !source.notNull;
  return canBeNull && target.notNull ? [{ kind: 'target-not-null', column: target }] : [];
};

const typeDifferences = (
  column: ColumnFacts,
  target: ColumnFacts,
  sourceTypes: TypesByOid,
  targetTypes: TypesByOid,
): TableDifference[] => {
  if (column.typeName !== target.typeName) {
    const why = `${column.typeName} on the source, ${target.typeName} on the target`;
    return [
      {
        kind: 'type-differs',
        column,
        target,
        why,
        widening: isWidening(column.typeName, target.typeName),
        made: null,
      },
    ];
  }
  const why = typeDifference(
    sourceTypes.get(column.typeOid),
    targetTypes.get(target.typeOid),
    sourceTypes,
    targetTypes,
  );
  if (why !== null) return [{ kind: 'type-differs', column, target, widening: false, ...why }];
  return column.collation === target.collation ? [] : [{ kind: 'collation-differs', column, target }];
};

interface Why {
  readonly why: string;
  readonly made: { readonly source: TypeFacts; readonly target: TypeFacts };
}

/** Types of the same name that are made differently. Built-in types are what they are. */
const typeDifference = (
  source: TypeFacts | undefined,
  target: TypeFacts | undefined,
  sourceTypes: TypesByOid,
  targetTypes: TypesByOid,
): Why | null => {
  if (!source || !target || source.schema === 'pg_catalog')
    return elementDifference(source, target, sourceTypes, targetTypes);
  const name = tableName(source);
  const made = { source, target };
  if (source.kind !== target.kind) return { why: `${name} is another kind of type on the target`, made };
  const lacking = source.labels.filter((label) => !target.labels.includes(label));
  if (lacking.length > 0) {
    const labels = lacking.map((label) => `'${label}'`).join(', ');
    return { why: `enum ${name} lacks ${labels} on the target`, made };
  }
  // A domain over a domain is as strict as the inner one, which is the one to be loosened then.
  const inner =
    attributeDifference(name, source, target, sourceTypes, targetTypes) ??
    elementDifference(source, target, sourceTypes, targetTypes);
  if (inner) return inner;
  return source.kind === 'd' && target.strictDomain && !source.strictDomain
    ? { why: `domain ${name} refuses values on the target that the source allows`, made }
    : null;
};

const elementDifference = (
  source: TypeFacts | undefined,
  target: TypeFacts | undefined,
  sourceTypes: TypesByOid,
  targetTypes: TypesByOid,
): Why | null => {
  if (!source || !target) return null;
  for (const part of ['elementOid', 'baseOid', 'rangeSubtypeOid'] as const) {
    const [a, b] = [sourceTypes.get(source[part]), targetTypes.get(target[part])];
    if (!a && !b) continue;
    if (nameOf(a) !== nameOf(b)) {
      const why = `${nameOf(source)} is made of ${nameOf(a)} on the source, ${nameOf(b)} on the target`;
      return { why, made: { source, target } };
    }
    const why = typeDifference(a, b, sourceTypes, targetTypes);
    if (why) return why;
  }
  return null;
};

const attributeDifference = (
  name: string,
  source: TypeFacts,
  target: TypeFacts,
  sourceTypes: TypesByOid,
  targetTypes: TypesByOid,
): Why | null => {
  const shape = (type: TypeFacts, types: TypesByOid): string =>
    type.attributes.map((part) => `${part.name} ${nameOf(types.get(part.typeOid))}`).join(', ');
  const [a, b] = [shape(source, sourceTypes), shape(target, targetTypes)];
  if (a !== b)
    return {
      why: `composite ${name} is (${a}) on the source, (${b}) on the target`,
      made: { source, target },
    };
  for (const [at, part] of source.attributes.entries()) {
    const other = target.attributes[at];
    if (!other || other.typeOid === 0) continue;
    const why = typeDifference(
      sourceTypes.get(part.typeOid),
      targetTypes.get(other.typeOid),
      sourceTypes,
      targetTypes,
    );
    if (why) return why;
  }
  return null;
};

const nameOf = (type: TypeFacts | undefined): string =>
  type === undefined ? 'nothing' : type.schema === 'pg_catalog' ? type.name : `${type.schema}.${type.name}`;

const INTEGERS = ['smallint', 'integer', 'bigint', 'numeric'];
const TEXTS = /^(character varying|character|text)(?:\((\d+)\))?$/;

/** Every value of `source`, sent as text, is the same value of `target`. */
export const isWidening = (source: string, target: string): boolean => {
  const [from, to] = [INTEGERS.indexOf(source), INTEGERS.indexOf(target)];
  if (from >= 0 && to > from) return true;
  if (source === 'real' && target === 'double precision') return true;
  if (isLooser(source, target)) return true;
  const [a, b] = [TEXTS.exec(source), TEXTS.exec(target)];
  // character(n) pads with blanks, so it is no wider form of anything, nor the other way round.
  if (!a || !b || a[1] === 'character' || b[1] === 'character') return false;
  return b[2] === undefined || (a[2] !== undefined && Number(a[2]) <= Number(b[2]));
};

/** With a precision of digits or of seconds: numeric(6,2), timestamp(3) with time zone, bit varying(8). */
const PRECISE = /^(numeric|bit varying|timestamp|time|interval)\((\d+)(?:,(-?\d+))?\)(.*)$/;

const isLooser = (source: string, target: string): boolean => {
  const from = PRECISE.exec(source);
  if (!from) return false;
  const [, name, digits, scale = '0', zone] = from;
  if (target === `${name}${zone}`) return true;
  const to = PRECISE.exec(target);
  if (!to || to[1] !== name || to[4] !== zone) return false;
  const wider = Number(to[3] ?? 0) - Number(scale);
  return wider >= 0 && Number(to[2]) - Number(digits) >= wider;
};
