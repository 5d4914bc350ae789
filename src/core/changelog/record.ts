/**
 * A recording from its start or from where it was cut short: the log's own last position decides, and a slot that cannot
 * give what follows it is never quietly made anew.
 */

import { formatLsn, ZERO_LSN, type Lsn } from '../change/lsn.ts';
import { XcError } from '../errors/xc-error.ts';
import type { Streamed } from '../replication/engine.ts';
import type { ChangeSink } from '../replication/ports.ts';
import { newTally } from '../replication/change-loop.ts';
import { isoTime, type Clock } from '../time/clock.ts';
import type { Link } from '../topology/link.ts';
import type { TableName } from '../topology/table.ts';
import { LogSink, type LogSinkPorts } from './log-sink.ts';
import type { LogWriter } from './log-writer.ts';
import type { TableDraft } from './logged-table.ts';
import { FORMAT, type HeaderRecord } from './records.ts';

/** The recorded database, under the lock of this recording. */
export interface RecordedSource {
  readonly place: HeaderRecord['source'];
  /** Position of the recording's slot, "lost" when its log is gone, null without one. */
  slot(): Promise<Lsn | 'lost' | null>;
  /** Publication and slot anew, and the snapshot to copy under; says where changes begin, and the tables. */
  begin(): Promise<{ readonly start: Lsn; readonly tables: readonly TableDraft[] }>;
  /** Gives the rows that the snapshot shows, as transactions of made-up positions from 0/0 on. @returns rows */
  copy(sink: (ports: LogSinkPorts) => ChangeSink, signal: AbortSignal): Promise<number>;
  /** Streams behind the log's position, through whatever passes by itself. */
  stream(
    how: { readonly until: Lsn | null; readonly signal: AbortSignal },
    end: ReturnType<typeof newTally>,
    writer: LogWriter,
    sink: (ports: LogSinkPorts) => ChangeSink,
  ): Promise<void>;
  /** Tables that were dropped before their last changes were read: those are not in the log. */
  readonly gone: ReadonlySet<TableName>;
  /** Where the source's log is now. */
  position(): Promise<Lsn>;
}

/** The files of one log. */
export interface LogStore {
  /** What the log says of itself, or null where there is none. */
  find(): Promise<FoundLog | null>;
  create(header: Omit<HeaderRecord, 'genesis' | 'file' | 'previous'>): Promise<OpenLog>;
  reopen(): Promise<OpenLog>;
}

export interface FoundLog {
  readonly header: HeaderRecord;
  readonly position: Lsn;
  readonly closed: boolean;
}

export interface OpenLog extends LogWriter, AsyncDisposable {
  readonly files: number;
  /** Lets readers see a new log. */
  publish(): Promise<void>;
}

export interface RecordRequest {
  readonly log: string;
  readonly link: Link;
  readonly controlPlane: string;
  readonly copy: boolean;
  /** "now" is the source's position when streaming begins; null streams until the signal. */
  readonly until: Lsn | 'now' | null;
}

export interface Recorded extends Streamed {
  readonly begun: boolean;
  readonly copied: number;
  readonly files: number;
  /** Findings of XC-5043. */
  readonly gone: readonly TableName[];
}

/** @throws XcError XC-5030, XC-5035, XC-5037, and what the source and the files throw */
export const record = async (
  request: RecordRequest,
  source: RecordedSource,
  store: LogStore,
  clock: Clock,
  signal: AbortSignal,
): Promise<Recorded> => {
  const found = await store.find();
  if (found) await refuseGap(found, request, source);
  await using held = new AsyncDisposableStack();
  const { log, copied } = found
    ? { log: held.use(await store.reopen()), copied: 0 }
    : await newLog(request, source, store, clock, held, signal);
  const until = request.until === 'now' ? await source.position() : request.until;
  const end = newTally(log.position);
  await source.stream({ until, signal }, end, log, (ports) => new LogSink(log, ports));
  return { ...end, begun: !found, copied, files: log.files, gone: [...source.gone].toSorted() };
};

/** The slot is made before the log, so that the log can say where it begins. */
const newLog = async (
  request: RecordRequest,
  source: RecordedSource,
  store: LogStore,
  clock: Clock,
  held: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<{ log: OpenLog; copied: number }> => {
  const { start, tables } = await source.begin();
  const log = held.use(await store.create(headerOf(request, source.place, start, isoTime(clock.nowMs()))));
  for (const table of tables) log.tableNumber(table);
  log.ended(log.position);
  const copied = request.copy ? await source.copy((ports) => new LogSink(log, ports), signal) : 0;
  if (request.copy) {
    log.add({ t: 'copied', lsn: formatLsn(start), rows: copied });
    log.ended(start);
  }
  await log.write();
  await log.publish();
  return { log, copied };
};

const headerOf = (
  { log, link, controlPlane, copy }: RecordRequest,
  source: HeaderRecord['source'],
  start: Lsn,
  createdAt: string,
): Omit<HeaderRecord, 'genesis' | 'file' | 'previous'> => ({
  t: 'header',
  format: FORMAT,
  log,
  controlPlane,
  link: { id: link.id, rule: link.rule.id, tenant: link.tenant, scope: link.scope },
  source,
  start: formatLsn(start),
  copy,
  position: formatLsn(copy ? ZERO_LSN : start),
  createdAt,
});

/** What stands in the way of going on with a log; for a dry run, too. */
export const refuseGap = async (
  found: FoundLog,
  { link, controlPlane }: Pick<RecordRequest, 'link' | 'controlPlane'>,
  source: Pick<RecordedSource, 'place' | 'slot'>,
): Promise<void> => {
  const { header, position, closed } = found;
  const other = (why: string): XcError => new XcError('XC-5035', { subject: header.link.id, why });
  if (header.controlPlane !== controlPlane)
    throw other(`it was recorded for control plane ${header.controlPlane}, not ${controlPlane}`);
  if (header.link.id !== link.id) throw other(`it is not of link ${link.id}`);
  if (closed) throw new XcError('XC-5037', { subject: link.id });
  if (header.source.system !== source.place.system)
    throw new XcError('XC-5206', {
      subject: source.place.region,
      why: `system identifier ${source.place.system}, the log was recorded from ${header.source.system}`,
    });
  refuseLostSlot(await source.slot(), position, link.id);
};

/** @throws XcError XC-5030 where the slot cannot give what follows the position */
export const refuseLostSlot = (slot: Lsn | 'lost' | null, position: Lsn, subject: string): void => {
  const end = `the log ends at ${formatLsn(position)}`;
  const why = ((): string | null => {
    if (slot === null) return `its slot is gone; ${end}`;
    if (slot === 'lost') return `the source removed log that its slot needed; ${end}`;
    return slot > position ? `its slot was moved to ${formatLsn(slot)}, and ${end}` : null;
  })();
  if (why !== null) throw new XcError('XC-5030', { subject, why });
};
