/** The copy-table steps of a stream: all of a fresh link's tables, and of a copy that was cut short what it lacks. */

import type { Link, LinkId } from '../topology/link.ts';
import { targetTable } from '../topology/mapping.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import type { TableFacts, TableName } from '../topology/table.ts';
import { tableName } from '../topology/table.ts';
import { CHUNK_BYTES } from './estimate.ts';
import type { StreamFacts } from './facts.ts';
import type { PlanWish } from './wish.ts';
import type { TableOnSlot } from './link-table.ts';
import type { CopyTable, Finding, JoiningTable } from './plan.ts';
import type { Carried } from './publication.ts';
import type { LinkOnSlot } from './standing.ts';
import type { Draft } from './step-list.ts';
import { columnOfWindow, unwindowed } from './window.ts';

/** What a repair compares at once: soon done again after a kill. */
const RANGE_BYTES = 8 * 2 ** 20;
/** Of one table: each is a row in the target, and two statements. */
const MOST_RANGES = 4_096;

/** One copy-table step a table, for all links that need it. */
export class Copies {
  readonly findings: Finding[] = [];
  /** Links of which --tables leaves some tables for later: they can be neither merged nor compared yet. */
  readonly incomplete = new Set<LinkId>();
  readonly #facts: StreamFacts;
  readonly #wish: PlanWish;
  readonly #carried: Carried;

  constructor(facts: StreamFacts, wish: PlanWish, carried: Carried) {
    this.#facts = facts;
    this.#wish = wish;
    this.#carried = carried;
  }

  fresh(slot: string, links: readonly Link[]): Draft[] {
    return this.#steps(slot, links, () => false);
  }

  /** All tables again, to be compared, and read only where they differ. */
  mending(slot: string, links: readonly Link[]): Draft[] {
    return this.#steps(slot, links, () => false, true);
  }

  /** What a copy or a repair that was cut short still lacks. */
  rest(slot: string, members: readonly LinkOnSlot[]): Draft[] {
    const copying = members.filter(({ row }) => row.state === 'copying').map(({ link }) => link);
    const done = this.#facts.target.copies.filter((copy) => copy.slot === slot && copy.chunks === copy.done);
    const mending = members.some(({ row }) => row.detail.repair === true);
    const carriers = new Map(done.map((copy) => [copy.table, new Set(copy.links)]));
    const copied = (link: Link, table: TableName): boolean => carriers.get(table)?.has(link.id) ?? false;
    return this.#steps(slot, copying, copied, mending);
  }

  /** Tables that begin to join links which stream; what --tables leaves out is not among them. */
  tables(slot: string, coming: readonly JoiningTable[]): Draft[] {
    const links = new Map([...this.#carried.keys()].map((link) => [link.id, link]));
    return coming.map(({ table, links: ids }) =>
      this.#copy(
        slot,
        table,
        this.#facts.source.catalogue.tables.get(table)!,
        ids.map((id) => links.get(id)!),
        false,
      ),
    );
  }

  /** What the copies of joining tables still lack. */
  restOfTables(slot: string, members: readonly TableOnSlot[]): Draft[] {
    const done = this.#doneOn(slot);
    const lacking = members.filter(({ table, copied }) => !copied && !done.has(tableName(table)));
    return [...Map.groupBy(lacking, ({ table }) => table)]
      .toSorted(([a], [b]) => (tableName(a) < tableName(b) ? -1 : 1))
      .map(([facts, group]) =>
        this.#copy(
          slot,
          tableName(facts),
          facts,
          group.map(({ link }) => link),
          false,
        ),
      );
  }

  #doneOn(slot: string): ReadonlySet<TableName> {
    return new Set(
      this.#facts.target.copies
        .filter((copy) => copy.slot === slot && copy.chunks === copy.done)
        .map(({ table }) => table),
    );
  }

  #steps(
    slot: string,
    links: readonly Link[],
    copied: (link: Link, table: TableName) => boolean,
    mending = false,
  ): Draft[] {
    const byTable = new Map<TableName, { facts: TableFacts; links: Link[] }>();
    for (const link of links)
      for (const facts of this.#carried.get(link) ?? []) {
        const table = tableName(facts);
        if (copied(link, table)) continue;
        const entry = byTable.get(table) ?? { facts, links: [] };
        entry.links.push(link);
        byTable.set(table, entry);
      }
    const asked = [...byTable].filter(
      ([table]) => !this.#wish.tables || matchesPatterns(this.#wish.tables, table),
    );
    if (asked.length < byTable.size) {
      this.findings.push(notAsked(byTable.size - asked.length, links));
      const now = new Set(asked.map(([table]) => table));
      for (const [table, entry] of byTable)
        if (!now.has(table)) for (const link of entry.links) this.incomplete.add(link.id);
    }
    return asked
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([table, entry]) => this.#copy(slot, table, entry.facts, entry.links, mending));
  }

  #copy(
    slot: string,
    table: TableName,
    facts: TableFacts,
    links: readonly Link[],
    mending: boolean,
  ): Draft & { kind: 'copy-table' } {
    const rows = Math.max(0, Math.round(this.#facts.source.scopedRows.get(table) ?? facts.estimatedRows));
    const share = facts.estimatedRows > 0 ? Math.min(1, rows / facts.estimatedRows) : 1;
    const bytes = Math.round(facts.bytes * share);
    const into = targetTable(links[0]?.rule.map, table);
    return {
      kind: 'copy-table',
      slot,
      links: links.map((link) => link.id).toSorted(),
      table,
      ...(into === table ? {} : { into }),
      chunks: mending
        ? Math.min(MOST_RANGES, Math.max(1, Math.ceil(bytes / RANGE_BYTES)))
        : Math.max(1, Math.ceil(bytes / (this.#wish.chunkBytes ?? CHUNK_BYTES))),
      rows,
      bytes,
      window: mending ? null : this.#window(table, links),
      ...(mending ? { repair: true as const } : {}),
    };
  }

  #window(table: TableName, links: readonly Link[]): CopyTable['window'] {
    const { window } = this.#wish;
    if (!window) return null;
    const column = columnOfWindow(table, links);
    if (column === null) this.findings.push(unwindowed(table));
    return column === null ? null : { column, ...window };
  }
}

const notAsked = (tables: number, links: readonly Link[]): Finding => ({
  check: 'copy-scope',
  subject: links.map((link) => link.id).join(', '),
  verdict: 'unknown',
  severity: 'info',
  seen: `--tables leaves ${tables} of its tables for later: the link stays in state copying until they are there`,
});
