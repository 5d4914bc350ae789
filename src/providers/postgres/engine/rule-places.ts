/**
 * What tables were called on the target when a rule's links were copied, held against what its map says now. A map that
 * was changed since is refused: the rows of the copy are elsewhere.
 */

import type { Client } from 'pg';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { Link, StreamKey } from '../../../core/topology/link.ts';
import { targetColumn, targetTable } from '../../../core/topology/mapping.ts';
import type { Catalogue, TableName } from '../../../core/topology/table.ts';

interface StoredPlace {
  readonly rule: string;
  readonly table: TableName;
  readonly place: TableName;
  readonly columns: Readonly<Record<string, string>>;
}

type Asked = Pick<Client, 'query'>;

/** Called in the transaction that makes the links: of a rule that had none left, what was written before counts no more. */
export const writePlaces = async (
  client: Asked,
  stream: StreamKey,
  links: readonly Link[],
  source: Catalogue,
  tablesOfLink: (link: Link) => Iterable<TableName>,
): Promise<void> => {
  await client.query(
    `DELETE FROM xcrepl.rule_places p WHERE stream = $1
        AND NOT EXISTS (SELECT FROM xcrepl.links l WHERE l.stream = p.stream AND l.rule = p.rule AND l.link <> ALL ($2))`,
    [stream, links.map((link) => link.id)],
  );
  await addPlaces(client, stream, links, source, tablesOfLink);
};

/** The same for tables that join what the links carry already. */
export const addPlaces = async (
  client: Asked,
  stream: StreamKey,
  links: readonly Link[],
  source: Catalogue,
  tablesOfLink: (link: Link) => Iterable<TableName>,
): Promise<void> => {
  const rows = links
    .filter(({ rule }) => rule.map !== undefined)
    .flatMap((link) => [...tablesOfLink(link)].map((table) => placeNow(link, table, source)));
  if (rows.length === 0) return;
  const distinct = new Map(rows.map((row) => [`${row.rule}\n${row.table}`, row]));
  await client.query(
    `INSERT INTO xcrepl.rule_places (stream, rule, table_name, target_table, columns)
     SELECT $1, r ->> 'rule', r ->> 'table', r ->> 'place', r -> 'columns' FROM jsonb_array_elements($2) AS r
     ON CONFLICT DO NOTHING`,
    [stream, JSON.stringify([...distinct.values()])],
  );
};

const placeNow = ({ rule }: Link, table: TableName, source: Catalogue): StoredPlace => ({
  rule: rule.id,
  table,
  place: targetTable(rule.map, table),
  columns: Object.fromEntries(
    (source.tables.get(table)?.columns ?? []).map(({ name }) => [name, targetColumn(rule.map, table, name)]),
  ),
});

/** @throws XcError XC-5272 */
export const refuseMoved = async (
  client: Asked,
  stream: StreamKey,
  links: readonly Link[],
  source: Catalogue,
  tablesOfLink: (link: Link) => Iterable<TableName>,
): Promise<void> => {
  const { rows } = await client.query<StoredPlace>(
    'SELECT rule, table_name AS table, target_table AS place, columns FROM xcrepl.rule_places WHERE stream = $1',
    [stream],
  );
  const stored = new Map(rows.map((row) => [`${row.rule}\n${row.table}`, row]));
  const rules = new Map(links.map((link) => [link.rule.id, link]));
  for (const link of rules.values()) {
    if (link.rule.map === undefined && rows.length === 0) continue;
    for (const table of tablesOfLink(link)) {
      const moved = difference(placeNow(link, table, source), stored.get(`${link.rule.id}\n${table}`));
      if (moved !== null)
        throw new XcError('XC-5272', { subject: `${table} of rule ${link.rule.id}`, why: moved });
    }
  }
};

/** Without a record the rule had no map, and everything was called as at the source. */
const difference = (now: StoredPlace, then: StoredPlace | undefined): string | null => {
  const place = then?.place ?? now.table;
  if (place !== now.place) return `it was copied to ${place}, and is ${now.place} by the rule now`;
  for (const [name, column] of Object.entries(now.columns)) {
    const before = then ? then.columns[name] : name;
    if (before !== undefined && before !== column)
      return `column ${name} was copied to ${before}, and is ${column} by the rule now`;
  }
  return null;
};
