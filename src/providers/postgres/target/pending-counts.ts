/**
 * Counts by link and table, gathered in memory and written about once a second in the transaction of a batch: a row
 * update for every table in every batch would cost more than small batches themselves.
 */

import type { Route, RouteCounts, Variant } from '../../../core/change/batch.ts';
import type { Clock } from '../../../core/time/clock.ts';
import { literal } from '../quote.ts';

const INTERVAL_MS = 1_000;

type Counts = RouteCounts & { link: string; table: string; conflicts: number };

export class PendingCounts {
  readonly #clock: Clock;
  #counts = new Map<string, Counts>();
  /** Written in a transaction that has not committed yet. */
  #inFlight: Counts[] = [];
  #writtenMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#writtenMs = clock.nowMs();
  }

  add(route: Route, counts: RouteCounts): void {
    const entry = this.#entry(route.link, route.variant.table);
    entry.inserts += counts.inserts;
    entry.updates += counts.updates;
    entry.deletes += counts.deletes;
    entry.bytes += counts.bytes;
  }

  conflict(route: Route | undefined, rows: number): void {
    if (route) this.#entry(route.link, route.variant.table).conflicts += rows;
  }

  /** A variant's conflicts where the link is not known: they count for the first link that has the table. */
  conflictIn(variant: Variant, rows: number): void {
    for (const entry of this.#counts.values()) {
      if (entry.table !== variant.table) continue;
      entry.conflicts += rows;
      return;
    }
  }

  /** The statement that writes what is due, or null. What it holds counts as written unless `restore` is called. */
  takeSql(now: boolean): string | null {
    this.#inFlight = [];
    const nowMs = this.#clock.nowMs();
    if (this.#counts.size === 0 || (!now && nowMs - this.#writtenMs < INTERVAL_MS)) return null;
    this.#writtenMs = nowMs;
    this.#inFlight = [...this.#counts.values()];
    this.#counts = new Map();
    const rows = this.#inFlight.map(
      (c) =>
        `(${literal(c.link)}, ${literal(c.table)}, ${c.inserts}, ${c.updates}, ${c.deletes}, ${c.bytes}, ${c.conflicts})`,
    );
    return (
      'INSERT INTO xcrepl.link_tables AS l (link, table_name, inserts, updates, deletes, bytes, conflicts) VALUES ' +
      rows.join(', ') +
      ' ON CONFLICT (link, table_name) DO UPDATE SET inserts = l.inserts + excluded.inserts,' +
      ' updates = l.updates + excluded.updates, deletes = l.deletes + excluded.deletes,' +
      ' bytes = l.bytes + excluded.bytes, conflicts = l.conflicts + excluded.conflicts'
    );
  }

  /** The transaction was rolled back: what it wrote is pending again. */
  restore(): void {
    const rolledBack = this.#inFlight;
    this.#inFlight = [];
    for (const c of rolledBack) {
      const entry = this.#entry(c.link, c.table);
      entry.inserts += c.inserts;
      entry.updates += c.updates;
      entry.deletes += c.deletes;
      entry.bytes += c.bytes;
      entry.conflicts += c.conflicts;
    }
  }

  #entry(link: string, table: string): Counts {
    const key = `${link}\n${table}`;
    let entry = this.#counts.get(key);
    if (!entry) {
      entry = { link, table, inserts: 0, updates: 0, deletes: 0, bytes: 0, conflicts: 0 };
      this.#counts.set(key, entry);
    }
    return entry;
  }
}
