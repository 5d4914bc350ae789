/** Links of one table that are copied together: those whose policies do the same with every column. */

import type { CopyTable } from '../../../core/plan/plan.ts';
import { rowScope } from '../../../core/plan/scope.ts';
import { binaryMismatch } from '../../../core/change/binary-types.ts';
import type { TuplePlan } from '../../../core/change/tuple-plan.ts';
import { copyPlan } from '../../../core/replication/column-actions.ts';
import { needsText } from '../../../core/replication/compile-relation.ts';
import type { CompileContext } from '../../../core/replication/compile-context.ts';
import type { Link } from '../../../core/topology/link.ts';
import type { TableFacts } from '../../../core/topology/table.ts';
import { columnThere } from '../../../core/topology/target-view.ts';
import { ident, literal, qualified, rowsOf } from '../quote.ts';

export interface CopyGroup {
  readonly links: readonly Link[];
  readonly plan: TuplePlan;
}

export const copyGroups = (
  links: readonly Link[],
  source: TableFacts,
  context: Pick<CompileContext, 'source' | 'hashKeys'>,
): CopyGroup[] => {
  const groups = new Map<string, { links: Link[]; plan: TuplePlan }>();
  for (const link of links) {
    const { plan, signature } = copyPlan(link, source, context);
    const group = groups.get(signature);
    if (group) group.links.push(link);
    else groups.set(signature, { links: [link], plan });
  }
  return [...groups.values()];
};

/** Rows of these links, of this range and window; TRUE where all rows are meant. The system column ctid needs no quotes. */
export const copyPredicate = (
  links: readonly Link[],
  cutColumn: string | null,
  range: { readonly lower: string | null; readonly upper: string | null },
  window: CopyTable['window'],
): string => {
  const tests: string[] = [];
  const scopes = links.map(rowScope);
  const [first] = scopes;
  if (first)
    tests.push(
      `${ident(first.column)} IN (${scopes.map((scope) => literal(scope?.value ?? '')).join(', ')})`,
    );
  const between = (column: string, lower: string | null, upper: string | null): void => {
    if (lower !== null) tests.push(`${ident(column)} >= ${literal(lower)}`);
    if (upper !== null) tests.push(`${ident(column)} < ${literal(upper)}`);
  };
  if (cutColumn !== null) between(cutColumn, range.lower, range.upper);
  if (window) between(window.column, window.from, window.to);
  return tests.length === 0 ? 'TRUE' : tests.join(' AND ');
};

/** The two statements of one chunk's copy. */
export const copyStatements = (
  group: CopyGroup,
  source: TableFacts,
  target: TableFacts,
  predicate: string,
  text: boolean,
): { source: string; target: string } => {
  const format = `(FORMAT ${text ? 'text' : 'binary'})`;
  const read = group.plan.plain ? group.plan.columns : group.plan.fields.map((field) => field.name);
  return {
    source: `COPY (SELECT ${read.map(ident).join(', ')} FROM ${rowsOf(source)} WHERE ${predicate}) TO STDOUT ${format}`,
    target: `COPY ${qualified(target)} (${group.plan.columns.map((name) => ident(columnThere(target, name))).join(', ')}) FROM STDIN ${format}`,
  };
};

/** A column that the target holds as another type, a wider one, reads its values from text alone. */
export const copiesAsText = (
  source: TableFacts,
  target: TableFacts,
  plan: TuplePlan,
  {
    source: { types: sourceTypes },
    target: { types: targetTypes },
  }: Pick<CompileContext, 'source' | 'target'>,
): boolean =>
  needsText([source], sourceTypes) ||
  source.columns.some(({ name, typeOid }) => {
    const place = target.columns.find((column) => column.name === name);
    return (
      place !== undefined &&
      plan.columns.includes(name) &&
      binaryMismatch(typeOid, sourceTypes, place.typeOid, targetTypes) !== null
    );
  });
