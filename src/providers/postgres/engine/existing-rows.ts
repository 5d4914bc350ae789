/** Rows of a link that are on the target already: refused before a first copy, deleted before a table begins anew. */

import type { Client } from 'pg';
import { rowScope } from '../../../core/plan/scope.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Link } from '../../../core/topology/link.ts';
import { tableName, type TableFacts } from '../../../core/topology/table.ts';
import { ident, rowsOf } from '../quote.ts';

const scoped = (links: readonly Link[]): { where: string; values: string[] } => {
  const scopes = links.map(rowScope);
  const [first] = scopes;
  if (!first) return { where: '', values: [] };
  const values = scopes.map((scope) => scope?.value ?? '');
  return {
    where: ` WHERE ${ident(first.column)} IN (${values.map((_, index) => `$${index + 1}`).join(', ')})`,
    values,
  };
};

/** Deletes of the links' rows in the table, and of no other rows. */
export const clearStatements = (
  links: readonly Link[],
  target: TableFacts,
): { sql: string; values: string[] }[] => {
  const { where, values } = scoped(links);
  return [{ sql: `DELETE FROM ${rowsOf(target)}${where}`, values }];
};

/** @throws XcError XC-5205 naming every table that holds rows of the links */
export const refuseExistingRows = async (
  client: Client,
  tables: readonly { readonly target: TableFacts; readonly links: readonly Link[] }[],
): Promise<void> => {
  const held: string[] = [];
  for (const { target, links } of tables) {
    const { where, values } = scoped(links);
    const { rows } = await client.query<{ held: boolean }>(
      `SELECT EXISTS (SELECT FROM ${rowsOf(target)}${where}) AS held`,
      values,
    );
    if (rows[0]?.held) held.push(tableName(target));
  }
  if (held.length > 0) throw new XcError('XC-5205', { subject: held.join(', '), facts: { tables: held } });
};
