/** Whether the target has a place for what a copy brings: asked each time, since either side may have been altered. */

import type { CompileContext } from '../../../core/replication/compile-context.ts';
import { misfitError } from '../../../core/replication/misfit-error.ts';
import { misfits } from '../../../core/schema-change/fit.ts';
import type { Link } from '../../../core/topology/link.ts';
import { tableName, type TableFacts } from '../../../core/topology/table.ts';
import type { CopyGroup } from './copy-groups.ts';

/** @throws XcError XC-5202, XC-5220 or XC-5221 with every statement that the target lacks */
export const expectPlaces = (
  links: readonly Link[],
  groups: readonly CopyGroup[],
  source: TableFacts,
  target: TableFacts,
  context: Pick<CompileContext, 'source' | 'target' | 'notes'>,
): void => {
  const brought = groups.map(({ plan }) => new Set(plan.columns));
  const columns = source.columns.filter(({ name }) => brought.some((names) => names.has(name)));
  const dropped = source.columns.filter((column) => !columns.includes(column));
  const ruled = links.some((link) => link.columns !== undefined);
  const found = misfits(
    { table: source, types: context.source.types },
    { table: target, types: context.target.types },
    {
      columns: new Map(columns.map((column) => [column.name, column])),
      dropped: new Set(dropped.map(({ name }) => name)),
      mixed: new Set(ruled ? columns.map(({ name }) => name) : []),
      map: links[0]?.rule.map,
    },
    context.notes.get(source.oid),
  );
  if (found.length > 0) throw misfitError(found, tableName(source), links);
};
