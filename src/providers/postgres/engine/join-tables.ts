/**
 * Tables join links that stream already (docs/decisions/0026): a side slot, whose consistent point is behind every
 * transaction that ran when the publication was changed, a copy of its snapshot, and the move to the links' own slot.
 * A table that cannot begin keeps out no other.
 */

import { maxLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import { isXcError, XcError } from '../../../core/errors/xc-error.ts';
import type { CreateSlot, JoiningTable, MergeLinks } from '../../../core/plan/plan.ts';
import { targetTable } from '../../../core/topology/mapping.ts';
import { named } from '../../../core/schema-change/statements.ts';
import type { LinkId } from '../../../core/topology/link.ts';
import type { TableName } from '../../../core/topology/table.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { hasTable, makeTable } from './additive.ts';
import type { Copies } from './copies.ts';
import { clearStatements, refuseRowsIn } from './existing-rows.ts';
import { linksNamed, readSides, type EngineParts } from './parts.ts';
import { dropEmptySlots } from './removal.ts';
import { createSlot, dropSlot, slotExists } from './slots.ts';
import type { Streams } from './streams.ts';

/** @throws XcError XC-5205 where no table can begin, because all of them have rows on the target already */
export const beginJoining = async (
  parts: EngineParts,
  copies: Copies,
  step: CreateSlot & { readonly tables: readonly JoiningTable[] },
  version: number,
): Promise<Lsn> => {
  const { slot, tables } = step;
  const { control, store, sessions } = parts;
  const source = await control.source();
  const known = await store.checkpoint(slot);
  if (known !== null && (await slotExists(source, slot))) return known;
  const beginning = await fitToBegin(parts, tables);
  const sides = await readSides(parts, linksNamed(parts, idsOf(beginning)), {
    are: 'new',
    meant: { joining: byLink(beginning) },
  });
  await dropSlot(source, slot); // of a run that was killed before its checkpoint was written
  const { position, snapshot } = await createSlot(sessions, slot, false, version);
  const joining = beginning.map(({ table, links: ids, again }) => {
    const links = linksNamed(parts, ids);
    const clear = again ? clearStatements(links, sides.target.tables.get(table)!) : [];
    return { table: sides.source.tables.get(table)!, links, clear };
  });
  await parts.tables.begin(slot, position, joining, sides.source);
  await copies.begin(slot, snapshot);
  return position;
};

/** Those that have a place on the target, and nothing in it. @throws XcError what keeps out the first, where that is all */
const fitToBegin = async (
  parts: EngineParts,
  tables: readonly JoiningTable[],
): Promise<readonly JoiningTable[]> => {
  const errors: XcError[] = [];
  const fit: JoiningTable[] = [];
  const catalogue = await readCatalogue(await parts.control.source());
  for (const one of tables)
    try {
      const [first, ...others] = linksNamed(parts, one.links);
      const table = catalogue.tables.get(one.table);
      if (!table) throw new XcError('XC-5207', { subject: one.table, why: 'it is gone from the source' });
      const place = named(targetTable(first!.rule.map, one.table));
      if (one.make && !(await hasTable(await parts.control.reader(), place)))
        await makeTable(parts, table, first!);
      if (parts.options.existing === 'refuse' && !one.again)
        await refuseRowsIn(await parts.control.reader(), [first!, ...others], catalogue, one.table);
      fit.push(one);
    } catch (error) {
      if (!isXcError(error)) throw error;
      errors.push(error);
      parts.options.progress.note(`${one.table} cannot join: ${error.code} ${error.message}`);
    }
  if (fit.length === 0 && errors[0]) throw errors[0];
  return fit;
};

/**
 * Called before a copy: a table that could not begin with the others says so where its own copy would be.
 * @throws XcError XC-5205 and whatever else keeps it out
 */
export const refuseNotBegun = async (
  parts: EngineParts,
  slot: string,
  table: TableName,
  links: readonly LinkId[],
): Promise<void> => {
  const joining = await parts.tables.joining(slot);
  if (joining.length === 0) return;
  const source = await readCatalogue(await parts.control.source());
  const relation = source.tables.get(table)?.oid;
  if (joining.some((one) => one.relation === relation)) return;
  await refuseRowsIn(await parts.control.reader(), linksNamed(parts, links), source, table);
  throw new XcError('XC-5207', { subject: table, why: 'it has changed while it was to join its links' });
};

/**
 * Moves the tables of all links that stream by now: those of a held link wait on the side slot until it is back.
 * @returns null where nothing was moved
 */
export const mergeTables = async (
  parts: EngineParts,
  streams: Streams,
  { slot }: Pick<MergeLinks, 'slot'>,
  epoch: number,
  signal: AbortSignal,
): Promise<{ links: readonly LinkId[]; position: Lsn } | null> => {
  const { store, tables } = parts;
  if ((await movable(parts, slot)).length === 0) return null;
  const joining = await tables.joining(slot);
  const ahead = joining
    .map(({ consistentAt }) => consistentAt ?? ZERO_LSN)
    .reduce(maxLsn, await streams.position(store.mainSlot));
  if ((await streams.position(slot)) < ahead) await streams.run(slot, ahead, epoch, signal);
  signal.throwIfAborted();
  const links = await movable(parts, slot);
  if (links.length === 0) return null;
  const position = maxLsn(await streams.position(slot), ahead);
  await tables.settle(links, slot, position);
  if ((await tables.joining(slot)).length === 0) await dropSlot(await parts.control.source(), slot);
  await dropEmptySlots(parts);
  return { links, position };
};

/** Links that the stream's own slot carries, with all of their tables on this one copied. */
const movable = async ({ store, tables }: EngineParts, slot: string): Promise<LinkId[]> => {
  const joining = await tables.joining(slot);
  const open = new Set(joining.filter(({ consistentAt }) => consistentAt === null).map(({ link }) => link));
  const here = new Set(joining.map(({ link }) => link));
  return (await store.links())
    .filter(({ state }) => state === 'streaming' || state === 'catching-up')
    .filter((link) => link.slot === store.mainSlot && here.has(link.link) && !open.has(link.link))
    .map(({ link }) => link);
};

const idsOf = (tables: readonly JoiningTable[]): LinkId[] => [
  ...new Set(tables.flatMap(({ links }) => links)),
];

const byLink = (tables: readonly JoiningTable[]): ReadonlyMap<LinkId, ReadonlySet<TableName>> => {
  const names = new Map<LinkId, Set<TableName>>();
  for (const { table, links } of tables)
    for (const link of links) names.set(link, (names.get(link) ?? new Set()).add(table));
  return names;
};
