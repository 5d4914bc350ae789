/**
 * Tables whose rows lie in another file than was noted, until it is known whether the stream itself tells why
 * (core/schema-change/rewrites). Until then the old file stays noted, so that a run that ends before it loses nothing.
 */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import { parseSnapshot } from '../../../core/change/snapshot.ts';
import {
  Emptyings,
  isPassed,
  withFile,
  type Horizon,
  type NewFile,
  type Rewrite,
} from '../../../core/schema-change/rewrites.ts';
import type { TableShape } from '../../../core/schema-change/shape.ts';
import type { Catalogue, TableFacts } from '../../../core/topology/table.ts';
import type { Noting } from './shape-store.ts';

/** A table with new files, and how one of them is told where nothing explains it. */
interface Suspected {
  readonly files: readonly NewFile[];
  readonly tell: (change: Rewrite) => void;
}

/** Horizons that are remembered: a stream is seldom behind more than one of them. */
const HORIZONS = 16;

/** What the stream of one slot says, and what was seen beside it. */
class OfSlot {
  readonly emptyings = new Emptyings();
  /** By the table's OID. */
  readonly suspected = new Map<number, Suspected>();
  /** A TRUNCATE came since its tables were last looked at. */
  news = false;
}

export class RewriteWatch {
  readonly #slots = new Map<string, OfSlot>();
  readonly #horizons: Horizon[] = [];

  /** The stream of the slot brought a TRUNCATE. */
  emptied(slot: string, relation: number, xid: number, refilled: boolean): void {
    const of = this.#of(slot);
    of.emptyings.add(relation, xid, refilled);
    of.news = true;
  }

  hasNews(slot: string): boolean {
    return this.#of(slot).news;
  }

  looked(slot: string): void {
    this.#of(slot).news = false;
  }

  isSuspecting(slot: string): boolean {
    return this.#of(slot).suspected.size > 0;
  }

  #of(slot: string): OfSlot {
    const known = this.#slots.get(slot) ?? new OfSlot();
    this.#slots.set(slot, known);
    return known;
  }

  /** @returns a position of the source that whoever passes it has all that its catalogue shows now */
  async horizon(client: Client): Promise<Lsn> {
    const { rows } = await client.query<{ snapshot: string; lsn: string }>(
      'SELECT pg_current_snapshot()::text AS snapshot, pg_current_wal_flush_lsn()::text AS lsn',
    );
    const position = parseLsn(rows[0]?.lsn ?? '');
    if (this.#horizons.at(-1)?.position === position) this.#horizons.pop();
    this.#horizons.push({ position, snapshot: parseSnapshot(rows[0]!.snapshot) });
    this.#horizons.splice(0, this.#horizons.length - HORIZONS);
    return position;
  }

  async suspect(
    slot: string,
    client: Client,
    table: TableFacts,
    changes: readonly Rewrite[],
    catalogue: Catalogue,
    tell: Suspected['tell'],
  ): Promise<void> {
    const of = changes.map((change) => ({
      change,
      file: change.kind === 'rewritten' ? table : catalogue.tables.get(change.leaf),
    }));
    const { rows } = await client.query<{ oid: number; storage: number; xmin: string; altered: boolean }>(
      `SELECT c.oid::int8::float8 AS oid, c.relfilenode::int8::float8 AS storage, c.xmin::text AS xmin,
              EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND a.xmin = c.xmin) AS altered
         FROM pg_class c WHERE c.oid = ANY ($1::oid[])`,
      [of.flatMap(({ file }) => file?.oid ?? [])],
    );
    const files = of.flatMap(({ change, file }): NewFile[] => {
      const row = rows.find(({ oid }) => oid === file?.oid);
      // It has moved on since the catalogue was read: the next look finds the file of then.
      if (!row || row.storage !== file?.storage) return [];
      return [{ change, storage: row.storage, xmin: Number(row.xmin), altered: row.altered }];
    });
    this.#of(slot).suspected.set(table.oid, { files, tell });
  }

  /**
   * What the stream has explained up to this position, or could have, is noted; what it has not is told.
   * @param noted of the tables now
   */
  settle(slot: string, position: Lsn, noted: ReadonlyMap<number, TableShape>): Noting[] {
    const { emptyings, suspected } = this.#of(slot);
    const notings: Noting[] = [];
    for (const [relation, { files, tell }] of suspected) {
      const before = noted.get(relation);
      const explained = files.filter((file) => emptyings.explain(relation, file));
      const told = files.filter(
        (file) => !explained.includes(file) && isPassed(file, this.#horizons, position),
      );
      if (before && explained.length + told.length > 0) {
        const shape = [...explained, ...told].reduce(withFile, before);
        notings.push({ relation, shape, changes: [...explained, ...told].map(({ change }) => change) });
      }
      for (const { change } of told) tell(change);
      const left = files.filter((file) => !explained.includes(file) && !told.includes(file));
      if (left.length > 0 && before) suspected.set(relation, { files: left, tell });
      else suspected.delete(relation);
    }
    return notings;
  }
}
