/** What the rooms of one engine share: its sessions, its state in the target, and what the two sides look like. */

import type { Lsn } from '../../../core/change/lsn.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import { createTable } from '../../../core/schema-change/statements.ts';
import { tablesOf } from '../../../core/plan/scope.ts';
import type { Link, LinkId } from '../../../core/topology/link.ts';
import { tableName, type Catalogue, type TableFacts, type TableName } from '../../../core/topology/table.ts';
import { namesThere, placesOf, targetView, type Places } from '../../../core/topology/target-view.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import type { Beat } from './beat.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { Control } from './control.ts';
import type { HeldStore } from './held-store.ts';
import type { LinkStore } from './link-store.ts';
import type { EngineOptions } from './options.ts';
import { publishedTables } from './publications.ts';
import { retrying } from './retry.ts';
import { refuseMoved } from './rule-places.ts';
import type { Sessions } from './sessions.ts';
import { readStoredTables, type StoredTables, type TableStore } from './table-store.ts';
import type { TargetSession } from './target-session.ts';

export interface EngineParts {
  readonly options: EngineOptions;
  readonly sessions: Sessions;
  readonly control: Control;
  readonly beat: Beat;
  /** For what is written to the target beside rows. */
  readonly session: TargetSession;
  readonly store: LinkStore;
  readonly chunks: ChunkStore;
  readonly held: HeldStore;
  readonly tables: TableStore;
}

/** Catalogues of both servers, and the tables that each link carries. */
export interface Sides {
  readonly source: Catalogue;
  readonly target: Catalogue;
  readonly tables: ReadonlyMap<LinkId, ReadonlySet<TableName>>;
  readonly places: Places;
  /** Of tables that joined what their link carried already: where the stream has what their copy has not. */
  readonly joinedAt: ReadonlyMap<LinkId, ReadonlyMap<TableName, Lsn>>;
}

/** Which tables of the links are meant. */
export type TablesMeant =
  /** Those that the links carry, and not those that join. */
  | 'settled'
  /** All that is published: of links that begin. */
  | 'published'
  /** Those that this slot carries. */
  | { readonly slot: string }
  /** Those that begin to join. */
  | { readonly joining: ReadonlyMap<LinkId, ReadonlySet<TableName>> };

/**
 * What both sides look like now, for these links.
 * @param are new: nothing of them was copied yet, so their places may still be anywhere
 * @param meant the tables; of links that begin all that are published
 * @param lacking tables that the target lacks are left to whoever meets a row of them
 * @throws XcError XC-5202 for a table that the target lacks, XC-5270 to XC-5272 where a rule's map leads nowhere
 */
export const readSides = async (
  parts: Pick<EngineParts, 'options' | 'control' | 'tables'>,
  links: readonly Link[],
  {
    are = 'copied',
    lacking = 'refuse',
    meant = are === 'new' ? 'published' : 'settled',
  }: { are?: 'copied' | 'new'; lacking?: 'refuse' | 'leave'; meant?: TablesMeant } = {},
): Promise<Sides> => {
  const { options, control } = parts;
  const { stream } = options;
  const client = await control.source();
  const source = await readCatalogue(client);
  const published = await publishedTables(client, stream.key);
  const reader = await control.reader();
  // Not over the session that holds the lock: a look beside a run has none.
  const stored: StoredTables = meant === 'published' ? new Map() : await readStoredTables(reader, stream.key);
  const carried = (link: Link): TableName[] =>
    tablesOf(link, source, isMeant(link, meant, stored, published)).map(tableName);
  const tables = new Map(links.map((link) => [link.id, new Set(carried(link))]));
  const names = new Set([...tables.values()].flatMap((set) => [...set]));
  const tablesOfLink = (link: Link): ReadonlySet<TableName> => tables.get(link.id)!;
  const places = placesOf(links, tablesOfLink);
  const there = namesThere(names, places);
  if (are === 'copied') await refuseMoved(reader, stream.key, links, source, tablesOfLink);
  const read = await readCatalogue(reader, { tables: (name) => there.has(name) });
  const target = targetView(read, source, places);
  const missing = [...names].filter((name) => !target.tables.has(name));
  if (missing.length > 0 && lacking === 'refuse')
    throw new XcError('XC-5202', {
      subject: [...namesThere(missing, places)].join(', '),
      why: `${stream.target.region} has no such table`,
      next: createAll(links, source, tables, new Set(missing)).join('\n'),
      facts: { links: linksOf(tables, new Set(missing)) },
    });
  return { source, target, tables, places, joinedAt: joinedAt(source, stored) };
};

const isMeant = (
  { id }: Link,
  meant: TablesMeant,
  stored: StoredTables,
  published: ReadonlySet<TableName>,
): ((table: TableFacts) => boolean) => {
  if (typeof meant === 'object' && 'joining' in meant)
    return (table) => meant.joining.get(id)?.has(tableName(table)) ?? false;
  const known = stored.get(id);
  if (!known) return (table) => published.has(tableName(table));
  const side =
    typeof meant === 'object' && [...known.values()].some(({ slot }) => slot === meant.slot)
      ? meant.slot
      : null;
  return ({ oid }) => known.get(oid)?.slot === side;
};

const joinedAt = (source: Catalogue, stored: StoredTables): Sides['joinedAt'] => {
  const names = new Map([...source.tables].map(([name, { oid }]) => [oid, name]));
  const joined = new Map<LinkId, Map<TableName, Lsn>>();
  for (const [link, tables] of stored)
    for (const { relation, from } of tables.values()) {
      const name = names.get(relation);
      if (from === null || name === undefined) continue;
      const own = joined.get(link) ?? new Map<TableName, Lsn>();
      joined.set(link, own.set(name, from));
    }
  return joined;
};

const createAll = (
  links: readonly Link[],
  source: Catalogue,
  tables: ReadonlyMap<LinkId, ReadonlySet<TableName>>,
  missing: ReadonlySet<TableName>,
): string[] => {
  const statements = links.flatMap((link) =>
    [...tables.get(link.id)!.intersection(missing)].flatMap(
      (name) => createTable(source.tables.get(name)!, link.rule.map).sql,
    ),
  );
  return [...new Set(statements)];
};

const linksOf = (
  tables: ReadonlyMap<LinkId, ReadonlySet<TableName>>,
  missing: ReadonlySet<TableName>,
): LinkId[] => [...tables].filter(([, names]) => !names.isDisjointFrom(missing)).map(([link]) => link);

/** Links of the configuration; one that is no longer there cannot be worked on. @throws XcError XC-1006 */
export const linksNamed = ({ options }: EngineParts, names: readonly LinkId[]): Link[] =>
  names.map((name) => {
    const link = options.stream.links.find((one) => one.id === name);
    if (!link) throw new XcError('XC-1006', { subject: `link ${name}` });
    return link;
  });

/** Runs the work again for as long as what breaks it may pass. */
export const throughOutages = async <T>(
  { options }: EngineParts,
  how: {
    readonly endless: boolean;
    readonly signal: AbortSignal;
    readonly wait?: ((error: unknown) => boolean) | undefined;
  },
  work: () => Promise<T>,
): Promise<T> =>
  await retrying(work, {
    ...how,
    subject: `stream ${options.stream.key}`,
    waiting: (error) => options.progress.waiting?.(error),
    note: (text) => options.progress.note(text),
  });
