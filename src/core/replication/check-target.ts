/** Whether the target has a place for what leaves the source. */

import { XcError } from '../errors/xc-error.ts';
import { binaryMismatch } from '../change/binary-types.ts';
import type { RelationMessage } from '../change/pgoutput.ts';
import type { ColumnAction } from '../policy/column-action.ts';
import { misfits, type Sent } from '../schema-change/fit.ts';
import { tableName, type TableFacts } from '../topology/table.ts';
import { misfitError, noTable } from './misfit-error.ts';
import type { CarriedLink, CompileContext } from './compile-context.ts';

/** @throws XcError XC-5202, XC-5220 or XC-5221 with all statements that the target lacks; XC-5207 to begin again as text */
export const checkTarget = (
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
