/**
 * Compares the source's tables with what was noted of them: when a session begins, and now and then while it flows. What
 * changed is noted anew, told, and where rows may differ without having been sent, their tables are marked as changed,
 * so that the next verification compares them.
 */

import type { Client } from 'pg';
import type { Lsn } from '../../../core/change/lsn.ts';
import { droppedFinding, shapeFinding } from '../../../core/schema-change/findings.ts';
import {
  carriedOn,
  mayDiffer,
  shapeChanges,
  shapeOf,
  type ShapeChange,
  type TableShape,
} from '../../../core/schema-change/shape.ts';
import { isRewrite, withFilesOf } from '../../../core/schema-change/rewrites.ts';
import { named } from '../../../core/schema-change/statements.ts';
import type { Link, LinkId } from '../../../core/topology/link.ts';
import { targetTable } from '../../../core/topology/mapping.ts';
import { matchesPatterns } from '../../../core/topology/pattern.ts';
import type { TableFacts, TableName } from '../../../core/topology/table.ts';
import type { Finding } from '../../../core/validation/finding.ts';
import { hasTable } from './additive.ts';
import type { EngineParts, Sides } from './parts.ts';
import { RewriteWatch } from './rewrite-watch.ts';
import { ShapeStore, type Noting } from './shape-store.ts';
import type { TargetSession } from './target-session.ts';

/** Touches rows of the catalogue as they are, so that VACUUM and ANALYZE, which write in place, do not count. */
const STAMP = `
  SELECT coalesce(sum(hashtextextended(one.what, 0)), 0)::text AS stamp FROM (
    SELECT c.oid || ' ' || c.xmin AS what FROM pg_class c WHERE c.oid = ANY ($1::oid[])
    UNION ALL SELECT a.attrelid || ' ' || a.attnum || ' ' || a.xmin FROM pg_attribute a
               WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0
    UNION ALL SELECT i.inhparent || ' ' || i.inhrelid || ' ' || i.xmin FROM pg_inherits i
               WHERE i.inhparent = ANY ($1::oid[])
  ) one`;

/** What only a comparison of rows settles. */
const COMPARED: ReadonlySet<string | undefined> = new Set(['XC-5224', 'XC-5225']);

export class ShapeWatch {
  /** Told since they were last taken. */
  readonly #findings: Finding[] = [];
  readonly #parts: Pick<EngineParts, 'options' | 'control'>;
  readonly #store: ShapeStore;
  readonly #touch: (link: LinkId, table: TableName) => void;
  readonly #stamps = new Map<string, string>();
  readonly #rewrites = new RewriteWatch();

  constructor(
    parts: Pick<EngineParts, 'options' | 'control'>,
    session: TargetSession,
    touch: (link: LinkId, table: TableName) => void,
  ) {
    this.#parts = parts;
    this.#store = new ShapeStore(session);
    this.#touch = touch;
  }

  /** @returns what is noted of the tables now, with the names that they and their columns had before */
  async look(slot: string, sides: Sides, links: readonly Link[]): Promise<ReadonlyMap<number, TableShape>> {
    const noted = new Map(await this.#store.read());
    const notings: Noting[] = [];
    const carried = new Map<TableName, LinkId[]>();
    for (const [link, tables] of sides.tables)
      for (const table of tables) carried.set(table, [...(carried.get(table) ?? []), link]);
    for (const [name, by] of carried) {
      const table = sides.source.tables.get(name);
      if (!table) continue;
      const before = noted.get(table.oid);
      const now = shapeOf(table, sides.source);
      const changes = before ? shapeChanges(before, now) : [];
      if (before && changes.length === 0) continue;
      const rewrites = changes.filter(isRewrite);
      const others = changes.filter((change) => !isRewrite(change));
      const shape = before ? withFilesOf(before, carriedOn(before, now), rewrites) : now;
      noted.set(table.oid, shape);
      if (!before || others.length > 0) notings.push({ relation: table.oid, shape, changes: others });
      const compared = links.every((link) => !by.includes(link.id) || link.rule.verify !== 'off');
      const target = sides.target.tables.get(name);
      const tell = (change: ShapeChange): void =>
        this.#tell(shapeFinding(change, { ...this.#regions, table: name, target, compared }));
      if (rewrites.length > 0)
        await this.#rewrites.suspect(
          slot,
          await this.#parts.control.source(),
          table,
          rewrites,
          sides.source,
          tell,
        );
      for (const change of changes) {
        if (!isRewrite(change)) tell(change);
        // Without identity only inserts are carried, and a difference is what was agreed to.
        if (mayDiffer(change) && table.identityColumns.length > 0)
          for (const link of by) this.#touch(link, name);
      }
    }
    this.#rewrites.looked(slot);
    notings.push(...(await this.#gone(noted, sides, links)));
    if (notings.length > 0) await this.#store.write(notings);
    return noted;
  }

  /** Whether anything of the tables moved in the source's catalogue since this was last asked for the slot. */
  async moved(slot: string, client: Client, sides: Sides): Promise<boolean> {
    const { rows } = await client.query<{ stamp: string }>(STAMP, [oidsOf(sides)]);
    const stamp = rows[0]?.stamp ?? '';
    const before = this.#stamps.get(slot);
    this.#stamps.set(slot, stamp);
    return before !== undefined && before !== stamp;
  }

  /** The stream of the slot brought a TRUNCATE. */
  emptied(slot: string, relation: number, xid: number, refilled: boolean): void {
    this.#rewrites.emptied(slot, relation, xid, refilled);
  }

  /** Whether tables were emptied since they were last looked at. */
  hasNews(slot: string): boolean {
    return this.#rewrites.hasNews(slot);
  }

  isSuspecting(slot: string): boolean {
    return this.#rewrites.isSuspecting(slot);
  }

  /** A position of the source; what its catalogue shows by now was written before. */
  async horizon(): Promise<Lsn> {
    return await this.#rewrites.horizon(await this.#parts.control.source());
  }

  /** The slot's stream is at the position: what that says of tables whose rows lie in another file is told and noted. */
  async settle(slot: string, position: Lsn): Promise<void> {
    if (!this.#rewrites.isSuspecting(slot)) return;
    const notings = this.#rewrites.settle(slot, position, await this.#store.read());
    if (notings.length > 0) await this.#store.write(notings);
  }

  /** @param compared whether the tables that may differ are compared before the run ends */
  takeFindings(compared: boolean): readonly Finding[] {
    const open = (finding: Finding): boolean => !compared && COMPARED.has(finding.code);
    return this.#findings
      .splice(0)
      .map((finding) => (open(finding) ? { ...finding, verdict: 'unknown' } : finding));
  }

  /** Tables that were carried, and are neither there any more under their OID nor under their name. */
  async #gone(noted: Map<number, TableShape>, { source }: Sides, links: readonly Link[]): Promise<Noting[]> {
    const there = new Set([...source.tables.values()].map(({ oid }) => oid));
    const notings: Noting[] = [];
    for (const [relation, { name }] of noted) {
      if (there.has(relation)) continue;
      notings.push({ relation, shape: null, changes: [] });
      noted.delete(relation);
      const link = links.find(({ rule }) => matchesPatterns(rule.tables ?? [], name));
      if (!link || source.tables.has(name)) continue;
      const left = named(targetTable(link.rule.map, name));
      if (await hasTable(await this.#parts.control.reader(), left))
        this.#tell(droppedFinding(name, left, this.#regions.sourceRegion));
    }
    return notings;
  }

  get #regions(): { sourceRegion: string; targetRegion: string } {
    const { source, target } = this.#parts.options.stream;
    return { sourceRegion: source.region, targetRegion: target.region };
  }

  #tell(finding: Finding): void {
    this.#findings.push(finding);
    const { code, subject, seen } = finding;
    this.#parts.options.progress.note(`${code} ${subject}: ${seen}`);
  }
}

const oidsOf = ({ source, tables }: Sides): number[] => {
  const names = new Set([...tables.values()].flatMap((set) => [...set]));
  return [...names].flatMap((name) => {
    const table = source.tables.get(name);
    return table ? [table.oid, ...leaves(table, source.tables)] : [];
  });
};

const leaves = (table: TableFacts, tables: ReadonlyMap<TableName, TableFacts>): number[] =>
  table.leaves.flatMap((leaf) => tables.get(leaf)?.oid ?? []);
