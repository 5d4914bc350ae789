/** Which tables each link carries, in the target: xcrepl.carried_tables. */

import type { Client } from 'pg';
import { formatLsn, parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import type { RemoveTables } from '../../../core/plan/plan.ts';
import type { Link, LinkId } from '../../../core/topology/link.ts';
import { tableName, type TableFacts } from '../../../core/topology/table.ts';
import type { Sides } from './parts.ts';
import { addPlaces } from './rule-places.ts';
import type { TargetSession } from './target-session.ts';

export interface StoredTable {
  readonly link: LinkId;
  /** OID at the source. */
  readonly relation: number;
  /** Side slot of a table that joins; null on the link's own. */
  readonly slot: string | null;
  readonly from: Lsn | null;
  readonly consistentAt: Lsn | null;
}

/** By link, and by the tables' OIDs. A link of which it is not known has no entry. */
export type StoredTables = ReadonlyMap<LinkId, ReadonlyMap<number, StoredTable>>;

/** A table that begins to join the links' others. */
export interface Joining {
  readonly table: TableFacts;
  readonly links: readonly Link[];
  /** Deletes what an earlier attempt left. */
  readonly clear: readonly { readonly sql: string; readonly values: readonly string[] }[];
}

export const readStoredTables = async (
  client: Pick<Client, 'query'>,
  stream: string,
): Promise<StoredTables> => {
  const { rows } = await client.query<{
    link: string;
    relation: string | null;
    slot: string | null;
    from: string | null;
    consistent: string | null;
  }>(
    `SELECT l.link, t.relation, t.slot, t.from_position AS "from", t.consistent_at AS consistent
       FROM xcrepl.links l LEFT JOIN xcrepl.carried_tables t USING (link) WHERE l.stream = $1 AND l.tables_known`,
    [stream],
  );
  const tables = new Map<LinkId, Map<number, StoredTable>>();
  for (const { link, relation, slot, from, consistent } of rows) {
    const own = tables.get(link) ?? new Map<number, StoredTable>();
    tables.set(link, own);
    if (relation !== null)
      own.set(Number(relation), {
        link,
        relation: Number(relation),
        slot,
        from: from === null ? null : parseLsn(from),
        consistentAt: consistent === null ? null : parseLsn(consistent),
      });
  }
  return tables;
};

/** Links that were copied before their tables were written down. */
export const readLinksWithoutTables = async (
  client: Pick<Client, 'query'>,
  stream: string,
): Promise<LinkId[]> => {
  const { rows } = await client.query<{ link: LinkId }>(
    'SELECT link FROM xcrepl.links WHERE stream = $1 AND NOT tables_known',
    [stream],
  );
  return rows.map(({ link }) => link);
};

export class TableStore {
  readonly #session: TargetSession;

  constructor(session: TargetSession) {
    this.#session = session;
  }

  /** Tables that join on this slot; empty for a slot that links are on. */
  async joining(slot: string): Promise<StoredTable[]> {
    return joiningOn(
      await this.#session.transaction((client) => readStoredTables(client, this.#session.options.stream.key)),
      slot,
    );
  }

  /** Links that were copied before this was written down carry what was published for them. */
  async adopt(links: readonly Link[], sides: Pick<Sides, 'source' | 'tables'>): Promise<void> {
    await this.#session.transaction((client) => writeTables(client, links, sides));
  }

  /** A slot was created for tables of links that stream already; its checkpoint begins at its consistent point. */
  async begin(
    slot: string,
    position: Lsn,
    joining: readonly Joining[],
    source: Sides['source'],
  ): Promise<void> {
    const { stream, run } = this.#session.options;
    await this.#session.transaction(async (client) => {
      await client.query(
        `INSERT INTO xcrepl.checkpoints (slot, stream, position, runner) VALUES ($1, $2, $3, $4)
         ON CONFLICT (slot) DO UPDATE SET position = excluded.position, runner = excluded.runner`,
        [slot, stream.key, formatLsn(position), run],
      );
      if (joining.some(({ clear }) => clear.length > 0))
        await client.query('SET LOCAL session_replication_role = replica');
      for (const { table, links, clear } of joining) {
        const name = tableName(table);
        for (const { sql, values } of clear) await client.query(sql, [...values]);
        await client.query(
          `INSERT INTO xcrepl.carried_tables (link, relation, table_name, slot, from_position)
           SELECT link, $2, $3, $4, $5 FROM unnest($1::text[]) AS link
           ON CONFLICT (link, relation) DO UPDATE SET table_name = excluded.table_name, slot = excluded.slot,
             from_position = excluded.from_position, consistent_at = NULL`,
          [links.map(({ id }) => id), table.oid, name, slot, formatLsn(position)],
        );
        await addPlaces(client, stream.key, links, source, () => [name]);
        await this.#session.audit(client, 'table.copy', name, {
          slot,
          position: formatLsn(position),
          links: links.map(({ id }) => id),
        });
      }
      // What changed since a verification is not known of a table that was not there then.
      await client.query(`UPDATE xcrepl.links SET detail = detail - 'changed' WHERE link = ANY ($1)`, [
        joining.flatMap(({ links }) => links.map(({ id }) => id)),
      ]);
    });
  }

  /** Tables of which everything is copied catch up; consistent past the newest snapshot of a chunk. */
  async copied(
    slot: string,
    tables: readonly { readonly link: LinkId; readonly relation: number; readonly consistentAt: Lsn }[],
  ): Promise<void> {
    await this.#session.query(
      `UPDATE xcrepl.carried_tables t SET consistent_at = c.at::pg_lsn
         FROM jsonb_to_recordset($2) AS c (link text, relation bigint, at text)
        WHERE t.slot = $1 AND t.link = c.link AND t.relation = c.relation`,
      [
        slot,
        JSON.stringify(
          tables.map(({ link, relation, consistentAt }) => ({ link, relation, at: formatLsn(consistentAt) })),
        ),
      ],
    );
  }

  /** Moves tables of these links to the links' own slot, from a position that both have behind them. */
  async settle(links: readonly LinkId[], slot: string, position: Lsn): Promise<void> {
    await this.#session.transaction(async (client) => {
      const { rows } = await client.query<{ table: string }>(
        `UPDATE xcrepl.carried_tables SET slot = NULL, from_position = $3 WHERE slot = $1 AND link = ANY ($2)
         RETURNING table_name AS "table"`,
        [slot, links, formatLsn(position)],
      );
      for (const table of new Set(rows.map((row) => row.table)))
        await this.#session.audit(client, 'table.merge', table, {
          from: slot,
          position: formatLsn(position),
          links,
        });
    });
  }

  /** Forgets that the links carry them, with counts and chunks. */
  async remove(tables: RemoveTables['tables']): Promise<void> {
    await this.#session.transaction(async (client) => {
      for (const { table, relation, links } of tables) {
        const { rows } = await client.query<{ table: string }>(
          `DELETE FROM xcrepl.carried_tables WHERE relation = $1 AND link = ANY ($2) RETURNING table_name AS "table"`,
          [relation, links],
        );
        const names = [...new Set([table, ...rows.map((row) => row.table)])];
        for (const statement of FORGET) await client.query(statement, [links, names]);
        await client.query(`DELETE FROM xcrepl.copy_chunks WHERE table_name = ANY ($1) AND links = '{}'`, [
          names,
        ]);
        await this.#session.audit(client, 'table.remove', table, { relation, links });
      }
    });
  }
}

/** Of these links and tables, unless another relation of the name is carried by now. */
const FORGET = [
  'DELETE FROM xcrepl.link_tables WHERE link = ANY ($1) AND table_name = ANY ($2)',
  `UPDATE xcrepl.copy_chunks SET links = ARRAY(SELECT unnest(links) EXCEPT SELECT unnest($1::text[]))
    WHERE table_name = ANY ($2) AND links && $1`,
  `DELETE FROM xcrepl.rule_places p USING xcrepl.links one
    WHERE one.link = ANY ($1) AND p.stream = one.stream AND p.rule = one.rule AND p.table_name = ANY ($2)
      AND NOT EXISTS (SELECT FROM xcrepl.links l JOIN xcrepl.carried_tables t USING (link)
                       WHERE l.stream = p.stream AND l.rule = p.rule AND t.table_name = p.table_name)`,
];

export const joiningOn = (tables: StoredTables, slot: string): StoredTable[] =>
  [...tables.values()].flatMap((own) => [...own.values()].filter((table) => table.slot === slot));

/** What the links carry from now on is what they have in `sides`, on their own slots. */
export const writeTables = async (
  client: Pick<Client, 'query'>,
  links: readonly Link[],
  { source, tables }: Pick<Sides, 'source' | 'tables'>,
): Promise<void> => {
  const rows = links.flatMap(({ id }) =>
    [...(tables.get(id) ?? [])].flatMap((name) => {
      const table = source.tables.get(name);
      return table ? [{ link: id, relation: table.oid, name }] : [];
    }),
  );
  const ids = links.map(({ id }) => id);
  await client.query('DELETE FROM xcrepl.carried_tables WHERE link = ANY ($1)', [ids]);
  await client.query(
    `INSERT INTO xcrepl.carried_tables (link, relation, table_name)
     SELECT link, relation, name FROM jsonb_to_recordset($1) AS r (link text, relation bigint, name text)`,
    [JSON.stringify(rows)],
  );
  await client.query('UPDATE xcrepl.links SET tables_known = true WHERE link = ANY ($1)', [ids]);
};
