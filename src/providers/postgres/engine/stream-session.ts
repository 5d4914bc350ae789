/**
 * One attempt to stream a slot: reads what both sides look like now, compiles the routes of its links, and runs the
 * change loop until its end or until something breaks. The next attempt begins at the checkpoint, whatever happened.
 */

import type { Client } from 'pg';
import type { Batch, Variant } from '../../../core/change/batch.ts';
import { maxLsn, ZERO_LSN, type Lsn } from '../../../core/change/lsn.ts';
import type { RelationMessage } from '../../../core/change/pgoutput.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import { runChangeLoop, type Tally } from '../../../core/replication/change-loop.ts';
import { compileRelation, isNews, needsText } from '../../../core/replication/compile-relation.ts';
import type { CarriedLink } from '../../../core/replication/compile-context.ts';
import type { TableShape } from '../../../core/schema-change/shape.ts';
import { cutColumnNamed } from '../../../core/replication/cut.ts';
import { seenByChunks, unseenByChunks } from '../../../core/replication/seen.ts';
import {
  insertOnlyPublicationName,
  publicationName,
  streamOfSlot,
  type Link,
} from '../../../core/topology/link.ts';
import { tableName, type Catalogue, type TableName } from '../../../core/topology/table.ts';
import { ReplicationStream } from '../source/replication-stream.ts';
import type { ChunkStore, StoredChunk } from './chunk-store.ts';
import { isCarried } from './link-faults.ts';
import type { LinkStore, StoredLink } from './link-store.ts';
import type { EngineOptions } from './options.ts';
import type { Sides } from './parts.ts';
import { keySchemas, openSink } from './open-sink.ts';
import { startPosition } from './start-position.ts';
import { rereadRow } from './reread.ts';
import { unlessMoved } from './schema-moved.ts';
import type { ShapeWatch } from './shape-watch.ts';
import type { Sessions } from './sessions.ts';
import { flushedPosition } from './snapshots.ts';
import type { TableStore } from './table-store.ts';
import { readTenantValues, type TenantValues } from './tenant-values.ts';

export interface SessionPorts {
  readonly options: EngineOptions;
  readonly sessions: Sessions;
  readonly store: LinkStore;
  readonly tables: TableStore;
  readonly chunks: ChunkStore;
  readonly source: Client;
  readonly target: Client;
  readonly epoch: number;
  sides(links: readonly Link[]): Promise<Sides>;
  readonly shapes: ShapeWatch;
  /** Values are asked for as text, whatever their types: those of the log do not fit the target's in binary. */
  readonly asText: boolean;
  /** Told with the commit of the first transaction that has no place on the target. */
  readonly stopped: (commit: Lsn) => void;
  /** What the session rests on, for who watches it. */
  readonly began: (sides: Sides, links: readonly Link[]) => void;
  /** Told after each batch, for who waits for a position. */
  readonly passed: (position: Lsn) => void;
}

export const runStreamSession = async (
  ports: SessionPorts,
  slot: string,
  until: Lsn | null,
  end: Tally,
  signal: AbortSignal,
): Promise<void> => {
  const { options, store } = ports;
  const from = (end.position = await startPosition(ports, slot));
  const joining = new Set((await ports.tables.joining(slot)).map(({ link }) => link));
  const all = await store.links();
  const onSlot = all.filter((link) => link.slot === slot);
  refusePassing(slot, onSlot);
  const stored = [...onSlot.filter(isCarried), ...all.filter(({ link }) => joining.has(link))];
  const links = options.stream.links.filter((link) => stored.some((one) => one.link === link.id));
  const lookedAt = await flushedPosition(ports.source);
  const sides = await ports.sides(links);
  const notes = await ports.shapes.look(slot, sides, links);
  ports.began(sides, links);
  try {
    await flow(ports, { slot, from, stored, links, sides, notes, lookedAt, until, end }, signal);
  } catch (error) {
    throw signal.aborted ? error : await unlessMoved(error, sides, () => ports.sides(links));
  }
  await store.settleCatchingUp(slot, end.position);
  await store.succeeded(slot);
};

/** A link that is paused on the slot would lose what is read from it. */
const refusePassing = (slot: string, onSlot: readonly StoredLink[]): void => {
  const paused = onSlot.filter(({ state }) => state === 'paused').map(({ link }) => link);
  if (paused.length > 0)
    throw new XcError('XC-5241', { subject: slot, why: `paused there: ${paused.join(', ')}` });
};

/** What one attempt rests on. */
interface Attempt {
  readonly slot: string;
  readonly from: Lsn;
  readonly stored: readonly StoredLink[];
  readonly links: readonly Link[];
  readonly sides: Sides;
  readonly notes: ReadonlyMap<number, TableShape>;
  /** Where the source's log was before its catalogue was read. */
  readonly lookedAt: Lsn;
  readonly until: Lsn | null;
  readonly end: Tally;
}

const flow = async (ports: SessionPorts, attempt: Attempt, signal: AbortSignal): Promise<void> => {
  const { options, store } = ports;
  const { slot, from, stored, links, sides, notes, lookedAt, until, end } = attempt;
  const { source, target, tables } = sides;
  const facts = [...new Set([...tables.values()].flatMap((set) => [...set]))].flatMap(
    (name) => source.tables.get(name) ?? [],
  );
  const binary = !ports.asText && !needsText(facts, source.types);
  const values = await readTenantValues(ports.source, links, source);
  const chunks = Map.groupBy(await ports.chunks.read(slot), (chunk) => chunk.table);
  const begins = new Map(stored.map((one) => [one.link, one.from ?? ZERO_LSN]));
  const carried = links.flatMap((link) =>
    // Tables that came later begin later: for the routes they are a link of their own.
    [...Map.groupBy(tables.get(link.id)!, (table) => beginOf(sides, link, table, begins.get(link.id)!))].map(
      ([begin, those]) => carriedLink(link, begin, new Set(those), { source, values, chunks, binary }),
    ),
  );
  const context = {
    source,
    target,
    links: carried,
    hashKeys: options.hashKeys,
    binary,
    notes,
    variants: new Map<string, Variant>(),
  };
  await using held = new AsyncDisposableStack();
  const rereader = held.use(
    await ports.sessions.wire('source', 'reader', { search_path: keySchemas(source) }),
  );
  const reread = (batch: Batch, index: number) =>
    rereadRow(rereader, source.tables.get(batch.route[index]!.variant.table)!, batch, index, binary);
  const sink = await openSink({ ...ports, client: ports.target, target, slot, binary, reread }, held);
  await store.distrust(slot);
  const named = await publications(ports, slot);
  const walsender = await ports.sessions.wire('source', 'walsender');
  const stream = held.use(
    await ReplicationStream.open(walsender, {
      slot,
      publications: named,
      from,
      until,
      binary,
      clock: options.clock,
      hooks: {
        emptied: (relation, xid, refilled) => ports.shapes.emptied(slot, relation, xid, refilled),
        routes: (relation: RelationMessage, commit: Lsn) => {
          if (isNews(relation, commit, lookedAt, context))
            throw new XcError('XC-5207', { subject: tableName(relation) });
          try {
            return compileRelation(relation, context);
          } catch (error) {
            ports.stopped(commit);
            throw error;
          }
        },
      },
    }).catch(async (error: unknown) => {
      await walsender[Symbol.asyncDispose]();
      throw error;
    }),
  );
  await runChangeLoop(stream, sink, options.clock, options.progress, end, signal, ports.passed, options.pace);
};

const beginOf = ({ joinedAt }: Sides, { id }: Link, table: TableName, link: Lsn): Lsn =>
  maxLsn(link, joinedAt.get(id)?.get(table) ?? ZERO_LSN);

interface CarryContext {
  readonly source: Catalogue;
  readonly values: TenantValues;
  readonly chunks: ReadonlyMap<TableName, readonly StoredChunk[]>;
  readonly binary: boolean;
}

const carriedLink = (
  link: Link,
  from: Lsn,
  tables: ReadonlySet<TableName>,
  { source, values, chunks, binary }: CarryContext,
): CarriedLink => {
  return {
    link,
    from,
    tables,
    tenantBytes: (table) =>
      link.scope.kind === 'column' ? values.bytes(table, link.scope.column, link.scope.value, binary) : '',
    copied: (table, relation) => {
      const own = (chunks.get(table) ?? []).filter(
        (chunk) => chunk.links.includes(link.id) && chunk.snapshot !== null,
      );
      if (!own.some((chunk) => chunk.position !== null && chunk.position > from))
        return { seen: null, unseen: null };
      const facts = source.tables.get(table)!;
      const name = own[0]!.cutColumn;
      const cut = name === null ? null : cutColumnNamed(facts, name);
      const copied = own.map(({ lower, upper, snapshot }) => ({ cut, lower, upper, snapshot: snapshot! }));
      return { seen: seenByChunks(copied, relation, binary), unseen: unseenByChunks(copied) };
    },
  };
};

const publications = async ({ source, options }: SessionPorts, slot: string): Promise<string[]> => {
  const key = streamOfSlot(slot, options.stream.key);
  const names = [publicationName(key), insertOnlyPublicationName(key)];
  const { rows } = await source.query<{ name: string }>(
    'SELECT pubname AS name FROM pg_publication WHERE pubname = ANY ($1) ORDER BY 1',
    [names],
  );
  if (rows.length === 0)
    throw new XcError('XC-5001', { subject: names[0]!, why: 'the publication was dropped on the source' });
  return rows.map((row) => row.name);
};
