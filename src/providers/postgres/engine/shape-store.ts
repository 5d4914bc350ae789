/** What was noted of the source's tables, in the target: xcrepl.table_shapes, one row a table. */

import type { ShapeChange, TableShape } from '../../../core/schema-change/shape.ts';
import type { TargetSession } from './target-session.ts';

export interface Noting {
  readonly relation: number;
  /** Null where the table is gone. */
  readonly shape: TableShape | null;
  readonly changes: readonly ShapeChange[];
}

export class ShapeStore {
  readonly #session: TargetSession;

  constructor(session: TargetSession) {
    this.#session = session;
  }

  async read(): Promise<ReadonlyMap<number, TableShape>> {
    const { rows } = await this.#session.query<{ relation: string; shape: TableShape }>(
      'SELECT relation, shape FROM xcrepl.table_shapes WHERE stream = $1',
      [this.#session.options.stream.key],
    );
    return new Map(rows.map(({ relation, shape }) => [Number(relation), shape]));
  }

  /** Notes them, each with an entry for the audit log where something changed. */
  async write(notings: readonly Noting[]): Promise<void> {
    const { key } = this.#session.options.stream;
    await this.#session.transaction(async (client) => {
      await client.query(
        `INSERT INTO xcrepl.table_shapes AS s (stream, relation, table_name, shape)
         SELECT $1, relation, shape ->> 'name', shape FROM jsonb_to_recordset($2::jsonb) AS n (relation bigint, shape jsonb)
          WHERE jsonb_typeof(shape) = 'object'
         ON CONFLICT (stream, relation) DO UPDATE
            SET table_name = excluded.table_name, shape = excluded.shape, noted_at = clock_timestamp()`,
        [key, JSON.stringify(notings)],
      );
      const gone = notings.filter(({ shape }) => shape === null).map(({ relation }) => relation);
      await client.query(
        'DELETE FROM xcrepl.table_shapes WHERE stream = $1 AND relation = ANY ($2::bigint[])',
        [key, gone],
      );
      for (const { relation, shape, changes } of notings)
        if (changes.length > 0)
          await this.#session.audit(client, 'schema.changed', shape?.name ?? String(relation), { changes });
    });
  }
}
