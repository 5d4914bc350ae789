/** Chunks of copies, in the target: which there are, and which are done. A chunk's rows and its record are one transaction. */

import { parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { TableName } from '../../../core/topology/table.ts';
import type { TargetSession } from './target-session.ts';

export interface StoredChunk {
  readonly table: TableName;
  readonly chunk: number;
  readonly links: readonly LinkId[];
  readonly cutColumn: string | null;
  readonly lower: string | null;
  readonly upper: string | null;
  readonly snapshot: string | null;
  readonly position: Lsn | null;
  readonly done: boolean;
}

export class ChunkStore {
  readonly #session: TargetSession;

  constructor(session: TargetSession) {
    this.#session = session;
  }

  async read(slot: string, table?: TableName): Promise<StoredChunk[]> {
    const { rows } = await this.#session.query<
      Record<'table_name', string> & { chunk: number; links: string[]; done: boolean } & Record<
          'cut_column' | 'lower_bound' | 'upper_bound' | 'snapshot' | 'position',
          string | null
        >
    >(
      `SELECT table_name, chunk, links, cut_column, lower_bound, upper_bound, snapshot, position, done_at IS NOT NULL AS done
         FROM xcrepl.copy_chunks WHERE slot = $1 AND ($2::text IS NULL OR table_name = $2) ORDER BY table_name, chunk`,
      [slot, table ?? null],
    );
    return rows.map((row) => ({
      table: row.table_name,
      chunk: row.chunk,
      links: row.links,
      cutColumn: row.cut_column,
      lower: row.lower_bound,
      upper: row.upper_bound,
      snapshot: row.snapshot,
      position: row.position === null ? null : parseLsn(row.position),
      done: row.done,
    }));
  }

  /** Writes the chunks of a table that is cut now; `clear` deletes what an earlier attempt left, in the same transaction. */
  async write(
    slot: string,
    table: TableName,
    chunks: readonly Pick<StoredChunk, 'chunk' | 'links' | 'cutColumn' | 'lower' | 'upper'>[],
    clear: readonly { readonly sql: string; readonly values: readonly string[] }[],
  ): Promise<void> {
    await this.#session.transaction(async (client) => {
      await client.query('DELETE FROM xcrepl.copy_chunks WHERE slot = $1 AND table_name = $2', [slot, table]);
      if (clear.length > 0) await client.query('SET LOCAL session_replication_role = replica');
      for (const { sql, values } of clear) await client.query(sql, [...values]);
      for (const one of chunks)
        await client.query(
          `INSERT INTO xcrepl.copy_chunks (slot, table_name, chunk, links, cut_column, lower_bound, upper_bound, runner)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
          [slot, table, one.chunk, one.links, one.cutColumn, one.lower, one.upper, this.#session.options.run],
        );
    });
  }
}
