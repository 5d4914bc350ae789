/** Rows of a link that are on the target already: refused before a first copy, deleted before a table begins anew. */

import type { Client } from 'pg';
import { rowScope, tablesOf } from '../../../core/plan/scope.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Link } from '../../../core/topology/link.ts';
import { tableName, type Catalogue, type TableFacts, type TableName } from '../../../core/topology/table.ts';
import { columnThere, namesThere, placesOf, targetView } from '../../../core/topology/target-view.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import type { EngineParts } from './parts.ts';
import { ident, rowsOf } from '../quote.ts';

const scoped = (links: readonly Link[], target: TableFacts): { where: string; values: string[] } => {
  const scopes = links.map(rowScope);
  const [first] = scopes;
  if (!first) return { where: '', values: [] };
  const values = scopes.map((scope) => scope?.value ?? '');
  return {
    where: ` WHERE ${ident(columnThere(target, first.column))} IN (${values.map((_, index) => `$${index + 1}`).join(', ')})`,
    values,
  };
};

/** Deletes of the links' rows in the table, and of no other rows. */
export const clearStatements = (
  links: readonly Link[],
  target: TableFacts,
): { sql: string; values: string[] }[] => {
  const { where, values } = scoped(links, target);
  return [{ sql: `DELETE FROM ${rowsOf(target)}${where}`, values }];
};

/**
 * Looks in all tables that the rules name, published by now or not.
 * @throws XcError XC-5205 naming every table that holds rows of the links
 */
export const refuseExisting = async ({ control }: EngineParts, links: readonly Link[]): Promise<void> => {
  await refuseRowsOf(await control.reader(), links, await readCatalogue(await control.source()));
};

/** The same for one table. @throws XcError XC-5205, and XC-5202 where the target lacks it */
export const refuseRowsIn = async (
  reader: Client,
  links: readonly Link[],
  source: Catalogue,
  table: TableName,
): Promise<void> => {
  const facts = source.tables.get(table);
  if (facts) await refuseRowsOf(reader, links, { ...source, tables: new Map([[table, facts]]) });
};

/** The same for tables of any source. @throws XcError XC-5205 */
export const refuseRowsOf = async (
  reader: Client,
  links: readonly Link[],
  source: Catalogue,
): Promise<void> => {
  const carriers = new Map<TableName, Link[]>();
  for (const link of links)
    for (const name of tablesOf(link, source).map(tableName))
      carriers.set(name, [...(carriers.get(name) ?? []), link]);
  const places = placesOf(links, (link) => tablesOf(link, source).map(tableName));
  const there = namesThere(carriers.keys(), places);
  const target = targetView(
    await readCatalogue(reader, { tables: (name) => there.has(name) }),
    source,
    places,
  );
  await refuseExistingRows(
    reader,
    [...carriers].flatMap(([name, those]) => {
      const facts = target.tables.get(name);
      return facts ? [{ target: facts, links: those }] : [];
    }),
  );
};

/** @throws XcError XC-5205 naming every table that holds rows of the links */
const refuseExistingRows = async (
  client: Client,
  tables: readonly { readonly target: TableFacts; readonly links: readonly Link[] }[],
): Promise<void> => {
  const held: string[] = [];
  for (const { target, links } of tables) {
    const { where, values } = scoped(links, target);
    const { rows } = await client.query<{ held: boolean }>(
      `SELECT EXISTS (SELECT FROM ${rowsOf(target)}${where}) AS held`,
      values,
    );
    if (rows[0]?.held) held.push(tableName(target));
  }
  if (held.length > 0) throw new XcError('XC-5205', { subject: held.join(', '), facts: { tables: held } });
};
