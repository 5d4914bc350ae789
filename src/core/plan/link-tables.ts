/**
 * Which tables each link carries, which it takes in now, and which leave it: what the target knows of them, held against
 * what the rules name and the source has. A table is known by its OID: renamed it is the same, made again it is another.
 */

import type { Candidate, TableOnSlot } from './link-table.ts';
import type { Link, LinkId, StreamKey } from '../topology/link.ts';
import { tableName, type TableFacts, type TableName } from '../topology/table.ts';
import { mayStart } from '../validation/positions/judge.ts';
import { matchesPatterns } from '../topology/pattern.ts';
import type { Finding } from '../validation/finding.ts';
import { candidateJudge } from './candidates.ts';
import type { CarriedRow, StreamFacts } from './facts.ts';
import { judgeSlot } from './judge-slot.ts';
import type { PlanWish } from './wish.ts';
import type { JoiningTable, RemoveTables } from './plan.ts';
import { alreadyPublished, publicationsOf, type Carried } from './publication.ts';
import { namedTables, tablesOf } from './scope.ts';
import type { LinkOnSlot, Standing } from './standing.ts';
import { begunAgain, left, waiting } from './table-findings.ts';

export interface LinkTables {
  /** Each link that stays or comes, with all tables that are published for it. */
  readonly carried: Carried;
  /** Tables that are copied or catch up on a side slot, by the slot. */
  readonly joining: ReadonlyMap<string, readonly TableOnSlot[]>;
  /** Tables that begin to join. */
  readonly coming: readonly JoiningTable[];
  readonly leaving: RemoveTables['tables'];
  /** Another plan takes in what comes. */
  readonly later: boolean;
  /** Named by a rule, and not carried. */
  readonly leftOut: ReadonlyMap<TableName, readonly LinkId[]>;
  readonly findings: readonly Finding[];
  /** What the tables' checks are asked of: without tables that the run makes, which the target lacks as yet. */
  readonly checked: { readonly carried: Carried; readonly leftOut: LinkTables['leftOut'] };
}

/**
 * @param anew links whose tables are all read in this run
 * @param moving links that leave for another stream, which takes in what comes to them
 */
export const linkTables = (
  facts: StreamFacts,
  standing: Standing,
  anew: readonly Link[],
  moving: ReadonlySet<LinkId>,
  wish: PlanWish,
): LinkTables => {
  const running = [...standing.carried, ...standing.joining, ...standing.errored, ...standing.held];
  const sorter = new Sorter(facts);
  for (const one of [...running, ...standing.arriving]) sorter.sort(one);
  const carried = new Map<Link, TableFacts[]>(sorter.kept);
  for (const link of anew) carried.set(link, tablesOf(link, facts.source.catalogue));
  const streaming = new Set(
    standing.carried.flatMap(({ link, row }) => (row.state === 'copying' ? [] : [link])),
  );
  const candidates = sorter.candidates.filter(({ link }) => !moving.has(link.id));
  const taken = takeIn(facts, carried, candidates, streaming, wish);
  for (const { link, table } of taken.admitted) carried.get(link)!.push(table);
  return {
    carried,
    joining: Map.groupBy(sorter.joining, ({ slot }) => slot),
    coming: comingOf(taken.admitted, taken.made),
    leaving: leavingOf(sorter.gone),
    later: wish.tablesLater ?? false,
    leftOut: taken.leftOut,
    findings: [...left(sorter.gone), ...taken.findings],
    checked: checkedOf(carried, taken),
  };
};

const checkedOf = (carried: Carried, { made, leftOut }: Taken): LinkTables['checked'] =>
  made.size === 0
    ? { carried, leftOut }
    : {
        carried: new Map(
          [...carried].map(([link, tables]) => [link, tables.filter((one) => !made.has(tableName(one)))]),
        ),
        leftOut: new Map([...leftOut, ...[...made].map((name) => [name, [] as LinkId[]] as const)]),
      };

class Sorter {
  readonly kept = new Map<Link, TableFacts[]>();
  readonly joining: (TableOnSlot & { readonly slot: string })[] = [];
  readonly candidates: Candidate[] = [];
  readonly gone: { readonly link: LinkId; readonly row: CarriedRow }[] = [];
  readonly #facts: StreamFacts;
  readonly #published = new Map<StreamKey, (link: Link, table: TableName) => boolean>();
  readonly #slots = new Map<string, boolean>();

  constructor(facts: StreamFacts) {
    this.#facts = facts;
  }

  sort({ link, row: { stream } }: LinkOnSlot): void {
    const known = this.#facts.target.tables?.get(link.id);
    const rows = new Map((known ?? []).map((row) => [row.relation, row]));
    const named = namedTables(link, this.#facts.source.catalogue);
    const isPublished = this.#publishedOn(stream);
    const kept: TableFacts[] = [];
    this.kept.set(link, kept);
    for (const table of named) {
      const row = rows.get(table.oid);
      const slot = row?.slot ?? null;
      const here = isPublished(link, tableName(table));
      if (slot !== null && here && this.#mayStart(slot)) {
        kept.push(table);
        this.joining.push({ link, table, slot, copied: row!.copied });
      } else if (slot === null && here && (row !== undefined || known === undefined)) kept.push(table);
      else this.candidates.push({ link, table, again: slot !== null });
    }
    // What is carried must have its tenant's column: a table that came without it is only no candidate.
    const carried = new Set(kept);
    tablesOf(link, this.#facts.source.catalogue, (table) => carried.has(table));
    // What a link no longer carries is taken off once it is on this stream.
    if (stream !== this.#facts.stream.key) return;
    const there = new Set(named.map(({ oid }) => oid));
    for (const row of known ?? []) if (!there.has(row.relation)) this.gone.push({ link: link.id, row });
  }

  /** By the publications of the stream that a link is on, which is another for one that arrives. */
  #publishedOn(stream: StreamKey): (link: Link, table: TableName) => boolean {
    const known = this.#published.get(stream);
    if (known) return known;
    const publications = publicationsOf(stream, this.#facts.source.publications);
    const published = publications.length === 0 ? () => true : alreadyPublished(publications);
    this.#published.set(stream, published);
    return published;
  }

  #mayStart(slot: string): boolean {
    const known = this.#slots.get(slot) ?? mayStart(judgeSlot(this.#facts, slot, true));
    this.#slots.set(slot, known);
    return known;
  }
}

interface Taken {
  readonly admitted: readonly Candidate[];
  /** Tables that the run makes on the target. */
  readonly made: ReadonlySet<TableName>;
  readonly leftOut: ReadonlyMap<TableName, readonly LinkId[]>;
  readonly findings: readonly Finding[];
}

/** Judged table by table: what keeps one out is no reason to keep out another, or to stop what runs. */
const takeIn = (
  facts: StreamFacts,
  carried: Carried,
  candidates: readonly Candidate[],
  streaming: ReadonlySet<Link>,
  wish: PlanWish,
): Taken => {
  const judge = candidateJudge(facts, carried, wish.hashKeys);
  const taken = {
    admitted: [] as Candidate[],
    made: new Set<TableName>(),
    leftOut: new Map<TableName, LinkId[]>(),
    findings: [] as Finding[],
  };
  for (const [name, group] of Map.groupBy(candidates, ({ table }) => tableName(table))) {
    const wanted = group.filter(({ link }) => wish.selected.has(link.id) && !wish.tablesLater);
    const now = wanted.filter(({ link }) => streaming.has(link) && !wish.repair && isAsked(wish, name));
    const verdict = judge(group[0]!.table, now);
    const admitted = new Set(verdict.admitted);
    taken.admitted.push(...verdict.admitted);
    if (verdict.make && admitted.size > 0) taken.made.add(name);
    taken.findings.push(...verdict.findings, ...begunAgain(name, verdict.admitted));
    const waits = wanted.filter((one) => !now.includes(one));
    if (waits.length > 0) taken.findings.push(waiting(name, waits));
    const out = group.filter((one) => !admitted.has(one)).map(({ link }) => link.id);
    if (out.length > 0) taken.leftOut.set(name, out);
  }
  return taken;
};

const isAsked = ({ tables }: PlanWish, name: TableName): boolean => !tables || matchesPatterns(tables, name);

const comingOf = (admitted: readonly Candidate[], made: ReadonlySet<TableName>): JoiningTable[] =>
  [...Map.groupBy(admitted, ({ table }) => tableName(table))]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([table, group]) => ({
      table,
      links: group.map(({ link }) => link.id).toSorted(),
      ...(made.has(table) ? { make: true as const } : {}),
      ...(group.some(({ again }) => again) ? { again: true as const } : {}),
    }));

const leavingOf = (
  gone: readonly { readonly link: LinkId; readonly row: CarriedRow }[],
): RemoveTables['tables'] =>
  [...Map.groupBy(gone, ({ row }) => row.relation)]
    .map(([relation, group]) => ({
      table: group[0]!.row.table,
      relation,
      links: group.map(({ link }) => link).toSorted(),
    }))
    .toSorted((a, b) => (a.table < b.table ? -1 : 1));
