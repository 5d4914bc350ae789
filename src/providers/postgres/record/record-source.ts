/** The database that a recording reads: its lock, its publication and slot, its rows under the slot's snapshot. */

import type { Client } from 'pg';
import { parseLsn, type Lsn } from '../../../core/change/lsn.ts';
import type { LogSinkPorts } from '../../../core/changelog/log-sink.ts';
import type { LogWriter } from '../../../core/changelog/log-writer.ts';
import { tableDraft } from '../../../core/changelog/logged-table.ts';
import { refuseLostSlot, type RecordedSource } from '../../../core/changelog/record.ts';
import type { HeaderRecord } from '../../../core/changelog/records.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import type { EngineProgress } from '../../../core/replication/engine.ts';
import { wantedPublications } from '../../../core/plan/publication.ts';
import { refuseColumnRules, refuseRecording } from '../../../core/plan/refusals.ts';
import { tablesOf } from '../../../core/plan/scope.ts';
import type { Tally } from '../../../core/replication/change-loop.ts';
import { copyPlan } from '../../../core/replication/column-actions.ts';
import type { ChangeSink } from '../../../core/replication/ports.ts';
import type { Clock } from '../../../core/time/clock.ts';
import { insertOnlyRecordingName, recordingName, type Link } from '../../../core/topology/link.ts';
import type { TableFacts, TableName } from '../../../core/topology/table.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { publish } from '../engine/publications.ts';
import { asXcError, retrying } from '../engine/retry.ts';
import { Sessions, type SessionOptions } from '../engine/sessions.ts';
import { SharedClient } from '../engine/shared-client.ts';
import { createSlot, dropSlot } from '../engine/slots.ts';
import { flushedPosition, type HeldSnapshot } from '../engine/snapshots.ts';
import { readIdentity } from '../identity.ts';
import { takeRecordingLock } from './lock.ts';
import { copyLink } from './copy-link.ts';
import { streamLink } from './stream-link.ts';

export interface RecordOptions extends SessionOptions {
  readonly link: Link;
  /** Key of the recording: names its slot, publication and lock. */
  readonly log: string;
  readonly hashKeys: ReadonlyMap<string, Uint8Array>;
  readonly clock: Clock;
  readonly lockTimeoutMs: number;
  readonly note: (text: string) => void;
  readonly progress?: EngineProgress | undefined;
}

export class PostgresRecording implements RecordedSource, AsyncDisposable {
  readonly gone = new Set<TableName>();
  readonly #options: RecordOptions;
  readonly #sessions: Sessions;
  readonly #control: SharedClient;
  #place: HeaderRecord['source'] | null = null;
  #begun: { readonly snapshot: HeldSnapshot; readonly tables: readonly TableFacts[] } | null = null;

  constructor(options: RecordOptions) {
    this.#options = options;
    this.#sessions = new Sessions(options);
    this.#control = new SharedClient(() => this.#sessions.source('control'));
  }

  /**
   * Looks at the database, and takes the recording's lock unless it is only to be looked at.
   * @throws XcError XC-7002 when another process records under this name
   */
  async open(lock: boolean): Promise<void> {
    await this.#typed(async () => {
      const client = await this.#control.get();
      const { source } = this.#options.stream;
      const { systemIdentifier, timeline, version } = await readIdentity(client, source.region, () =>
        this.#sessions.walsender(),
      );
      this.#place = { ...source, system: systemIdentifier, timeline, version };
      if (!lock) return;
      const { log, lockTimeoutMs, clock, signal } = this.#options;
      await takeRecordingLock(client, log, lockTimeoutMs, clock, signal);
    });
  }

  get place(): HeaderRecord['source'] {
    if (!this.#place) throw new XcError('XC-9001', { why: 'the recording was not opened' });
    return this.#place;
  }

  async slot(): Promise<Lsn | 'lost' | null> {
    return await this.#typed(async () => {
      const client = await this.#control.get();
      const { rows } = await client.query<{ confirmed: string | null; status: string | null }>(
        `SELECT confirmed_flush_lsn::text AS confirmed, wal_status AS status FROM pg_replication_slots
          WHERE slot_name = $1 AND database = current_database()`,
        [this.#slot],
      );
      const [row] = rows;
      if (!row) return null;
      return row.status === 'lost' || row.confirmed === null ? 'lost' : parseLsn(row.confirmed);
    });
  }

  /** Tables of the link, after everything was refused that would hurt the source or let out what must stay. */
  async tables(): Promise<readonly TableFacts[]> {
    return (await this.#typed(() => this.#looked())).tables;
  }

  async begin(): ReturnType<RecordedSource['begin']> {
    return await this.#typed(async () => {
      const { link, hashKeys, log } = this.#options;
      const client = await this.#control.get();
      const { catalogue, tables } = await this.#looked();
      await dropSlot(client, this.#slot); // of a recording that was cut short before its log was there
      const wanted = wantedPublications(new Map([[link, tables]]));
      await publish(client, recordingName(log), 'insert, update, delete, truncate', wanted.tables);
      await publish(client, insertOnlyRecordingName(log), 'insert', wanted.insertOnly);
      const { position, snapshot } = await createSlot(this.#sessions, this.#slot, true, this.place.version);
      this.#begun = { snapshot, tables };
      const drafts = tables.map((facts) => {
        const columns = facts.columns.filter((column) => column.generated === 'none');
        const { plan } = copyPlan(link, facts, { source: catalogue, hashKeys });
        return tableDraft(facts, columns, plan, catalogue.types);
      });
      return { start: position, tables: drafts };
    });
  }

  async copy(sink: (ports: LogSinkPorts) => ChangeSink, signal: AbortSignal): Promise<number> {
    const begun = this.#begun;
    if (!begun) throw new XcError('XC-9001', { why: 'there is no snapshot to copy under' });
    return await this.#typed(async () => {
      const { catalogue } = await this.#looked();
      const ports = { ...this.#options, sessions: this.#sessions, catalogue };
      return await copyLink(begun.tables, begun.snapshot, ports, sink, signal);
    });
  }

  async stream(
    how: { readonly until: Lsn | null; readonly signal: AbortSignal },
    end: Tally,
    writer: LogWriter,
    sink: (ports: LogSinkPorts) => ChangeSink,
  ): Promise<void> {
    await this.#begun?.snapshot[Symbol.asyncDispose]();
    this.#begun = null;
    const { link, log, note } = this.#options;
    const work = async (): Promise<void> => {
      await writer.rewind();
      end.position = writer.position;
      refuseLostSlot(await this.slot(), writer.position, link.id);
      const client = await this.#control.get();
      const gone = (table: TableName): void => void this.gone.add(table);
      const ports = { ...this.#options, sessions: this.#sessions, client, gone };
      await streamLink(ports, { ...how, slot: this.#slot, from: writer.position }, end, sink);
    };
    const { until, signal } = how;
    try {
      await retrying(work, {
        endless: until === null,
        signal,
        subject: `recording ${log} of ${link.id}`,
        note,
      });
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
    }
  }

  async position(): Promise<Lsn> {
    return await this.#typed(async () => flushedPosition(await this.#control.get()));
  }

  /** Removes slot and publications; says what was there. */
  async drop(): Promise<string[]> {
    return await this.#typed(async () => {
      const client = await this.#control.get();
      const { log } = this.#options;
      const { region } = this.#options.stream.source;
      const removed: string[] = [];
      if (await dropSlot(client, this.#slot)) removed.push(`slot ${this.#slot} on ${region}`);
      for (const name of [recordingName(log), insertOnlyRecordingName(log)])
        if (await dropPublication(client, name)) removed.push(`publication ${name} on ${region}`);
      return removed;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#begun?.snapshot[Symbol.asyncDispose]();
    await this.#control[Symbol.asyncDispose]();
  }

  get #slot(): string {
    return recordingName(this.#options.log);
  }

  async #looked() {
    const { link, hashKeys } = this.#options;
    const catalogue = await readCatalogue(await this.#control.get());
    const tables = tablesOf(link, catalogue);
    refuseColumnRules(new Map([[link, tables]]), catalogue, [...hashKeys.keys()]);
    refuseRecording(link, tables, catalogue);
    return { catalogue, tables };
  }

  async #typed<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw asXcError(error, `recording of ${this.#options.link.id}`);
    }
  }
}

const dropPublication = async (client: Client, name: string): Promise<boolean> => {
  const { rowCount } = await client.query('SELECT FROM pg_publication WHERE pubname = $1', [name]);
  if (!rowCount) return false;
  await publish(client, name, 'insert', []);
  return true;
};
