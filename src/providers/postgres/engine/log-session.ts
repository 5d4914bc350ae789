/** One attempt to replay a log: the sink of every stream on one side, the log's lines on the other. */

import type { Batch, Variant } from '../../../core/change/batch.ts';
import type { Lsn } from '../../../core/change/lsn.ts';
import type { RelationMessage } from '../../../core/change/pgoutput.ts';
import { loggedCatalogue } from '../../../core/changelog/logged-table.ts';
import type { TableRecord } from '../../../core/changelog/records.ts';
import type { ReplayedLog } from '../../../core/changelog/replayed-log.ts';
import { replayLinks } from '../../../core/changelog/replay-links.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import { tablesOf } from '../../../core/plan/scope.ts';
import { runChangeLoop, type Tally } from '../../../core/replication/change-loop.ts';
import { compileRelation } from '../../../core/replication/compile-relation.ts';
import type { CarriedLink } from '../../../core/replication/compile-context.ts';
import type { Link } from '../../../core/topology/link.ts';
import { tableName, type Catalogue, type TableName } from '../../../core/topology/table.ts';
import { namesThere, placesOf, targetView } from '../../../core/topology/target-view.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { openSink } from './open-sink.ts';
import type { EngineParts, Sides } from './parts.ts';
import { refuseMoved } from './rule-places.ts';

/** What both sides look like: the log's tables, and what the target has of them. @throws XcError XC-5202 */
export const logSides = async (
  { options, control }: EngineParts,
  source: Catalogue,
  links: readonly Link[],
  are: 'copied' | 'new' = 'copied',
): Promise<Sides> => {
  const { stream } = options;
  const tables = new Map(links.map((link) => [link.id, new Set(tablesOf(link, source).map(tableName))]));
  const tablesOfLink = (link: Link): ReadonlySet<TableName> => tables.get(link.id)!;
  const names = new Set([...tables.values()].flatMap((set) => [...set]));
  const places = placesOf(links, tablesOfLink);
  const there = namesThere(names, places);
  const reader = await control.reader();
  if (are === 'copied') await refuseMoved(reader, stream.key, links, source, tablesOfLink);
  const read = await readCatalogue(reader, { tables: (name) => there.has(name) });
  const target = targetView(read, source, places);
  const missing = [...names].filter((name) => !target.tables.has(name));
  if (missing.length > 0)
    throw new XcError('XC-5202', {
      subject: [...namesThere(missing, places)].join(', '),
      why: `${stream.target.region} has no such table`,
    });
  return { source, target, tables, places, joinedAt: new Map() };
};

export const runLogSession = async (
  parts: EngineParts,
  log: ReplayedLog,
  how: { readonly slot: string; readonly until: Lsn | null; readonly epoch: number },
  end: Tally,
  signal: AbortSignal,
): Promise<void> => {
  const { options, store, sessions, control } = parts;
  const { slot, until } = how;
  const look = await log.look(end.position);
  const stored = (await store.links()).filter((link) => link.slot === slot);
  const configured = options.stream.links.filter((link) => stored.some((one) => one.link === link.id));
  const links = replayLinks(configured, look.tables);
  const { target, tables } = await logSides(parts, look.catalogue, links);
  const records = new Map<TableName, TableRecord>();
  const variants = new Map<string, Variant>();
  const carried = (record: TableRecord): CarriedLink[] =>
    replayLinks(configured, [record]).map((link) => ({
      link,
      from: stored.find((one) => one.link === link.id)!.from!,
      tables: tables.get(link.id)!,
      tenantBytes: () => '',
      copied: () => ({ seen: null, unseen: null }),
    }));
  await using held = new AsyncDisposableStack();
  const client = await control.reader();
  const sink = await openSink(
    { options, sessions, client, target, slot, epoch: how.epoch, binary: false, reread },
    held,
  );
  await store.distrust(slot);
  const changes = held.use(
    await log.open(end.position, until, {
      table: (record) => void records.set(record.name, record),
      routes: (relation: RelationMessage) => {
        const record = records.get(tableName(relation))!;
        const { hashKeys } = options;
        const source = loggedCatalogue([record]);
        const context = {
          source,
          target,
          hashKeys,
          binary: false,
          notes: new Map<number, never>(),
          variants,
        };
        const routes = compileRelation(relation, { ...context, links: carried(record) });
        // No table of a log is ever dropped behind its back: one that a link carries has routes, or its rows would be lost.
        if (!routes && links.some((link) => tables.get(link.id)!.has(record.name)))
          throw new XcError('XC-9001', { subject: record.name, why: 'no link takes its rows' });
        // A log has the rows of one tenant, and names of an old row only its key.
        return routes && { ...routes, tenantField: null };
      },
    }),
  );
  await runChangeLoop(changes, sink, options.clock, options.progress, end, signal, undefined, options.pace);
  await store.settleCatchingUp(slot, end.position);
  await store.succeeded(slot);
};

/** @throws XcError XC-5039 always: whoever recorded could read the row again, and did where it was there */
const reread = (batch: Batch, index: number): Promise<never> =>
  Promise.reject(
    new XcError('XC-5039', {
      subject: batch.route[index]!.variant.table,
      facts: { table: batch.route[index]!.variant.table, link: batch.route[index]!.link },
    }),
  );
