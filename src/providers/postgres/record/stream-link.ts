/** One attempt to stream a recording's slot into its log. The next begins where the log then ends, whatever happened. */

import type { Client } from 'pg';
import type { Variant } from '../../../core/change/batch.ts';
import type { Lsn } from '../../../core/change/lsn.ts';
import type { RelationMessage } from '../../../core/change/pgoutput.ts';
import type { LogSinkPorts } from '../../../core/changelog/log-sink.ts';
import { tableDraft, type TableDraft } from '../../../core/changelog/logged-table.ts';
import { TransactionMarks } from '../../../core/changelog/transaction-marks.ts';
import type { LoggedValue } from '../../../core/changelog/records.ts';
import { fieldsAsLogged } from '../../../core/changelog/values.ts';
import { XcError } from '../../../core/errors/xc-error.ts';
import { tablesOf } from '../../../core/plan/scope.ts';
import { runChangeLoop, type Tally } from '../../../core/replication/change-loop.ts';
import { compileRelation, isNews } from '../../../core/replication/compile-relation.ts';
import type { EngineProgress } from '../../../core/replication/engine.ts';
import type { ChangeSink } from '../../../core/replication/ports.ts';
import type { Clock } from '../../../core/time/clock.ts';
import { insertOnlyRecordingName, recordingName, type Link } from '../../../core/topology/link.ts';
import { tableOf } from '../../../core/replication/describe-relation.ts';
import { tableName, type TableName } from '../../../core/topology/table.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { rereadRow } from '../engine/reread.ts';
import type { Sessions } from '../engine/sessions.ts';
import { flushedPosition } from '../engine/snapshots.ts';
import { readTenantValues } from '../engine/tenant-values.ts';
import { ReplicationStream } from '../source/replication-stream.ts';
import { recordContext } from './record-context.ts';

export interface StreamPorts {
  readonly link: Link;
  readonly log: string;
  readonly hashKeys: ReadonlyMap<string, Uint8Array>;
  readonly sessions: Sessions;
  readonly client: Client;
  readonly clock: Clock;
  readonly progress?: EngineProgress | undefined;
  /** Told of a table that changes are of, and that is no more: what its columns were nobody knows. */
  readonly gone: (table: TableName) => void;
}

const SILENT: EngineProgress = {
  copied: () => undefined,
  streamed: () => undefined,
  applied: () => undefined,
  retained: () => undefined,
  note: () => undefined,
};

export const streamLink = async (
  ports: StreamPorts,
  how: {
    readonly slot: string;
    readonly from: Lsn;
    readonly until: Lsn | null;
    readonly signal: AbortSignal;
  },
  end: Tally,
  open: (ports: LogSinkPorts) => ChangeSink,
): Promise<void> => {
  const { link, sessions, clock, client } = ports;
  const lookedAt = await flushedPosition(client);
  const catalogue = await readCatalogue(client);
  const values = await readTenantValues(client, [link], catalogue);
  const tables = new Set(tablesOf(link, catalogue).map(tableName));
  const context = recordContext(link, tables, catalogue, ports.hashKeys, values);
  const drafts = new Map<Variant, TableDraft>();
  const routes = (relation: RelationMessage, commit: Lsn) => {
    if (isNews(relation, commit, lookedAt, context))
      throw new XcError('XC-5207', { subject: tableName(relation) });
    const found = compileRelation(relation, context);
    // The publication is of this link alone, so nothing else comes without a place.
    if (!found && !tableOf(relation, catalogue)) ports.gone(tableName(relation));
    for (const { variant } of found?.byTenant.values() ?? []) {
      const facts = catalogue.tables.get(variant.table)!;
      drafts.set(variant, tableDraft(facts, relation.columns, variant.plan, catalogue.types));
    }
    return found;
  };
  await using held = new AsyncDisposableStack();
  const reader = held.use(await sessions.wire('source', 'reader'));
  const marks = new TransactionMarks();
  const sink = open({
    marks,
    tableOf: (variant) => drafts.get(variant)!,
    reread: async (batch, index): Promise<readonly LoggedValue[] | null> => {
      const facts = catalogue.tables.get(batch.route[index]!.variant.table)!;
      const fields = await rereadRow(reader, facts, batch, index, false);
      return fields && fieldsAsLogged(fields);
    },
  });
  const walsender = await sessions.wire('source', 'walsender');
  const stream = held.use(
    await ReplicationStream.open(walsender, {
      ...how,
      publications: await publications(ports),
      binary: false,
      clock,
      hooks: { routes, ...marks.hooks },
    }).catch(async (error: unknown) => {
      await walsender[Symbol.asyncDispose]();
      throw error;
    }),
  );
  await runChangeLoop(stream, sink, clock, ports.progress ?? SILENT, end, how.signal);
};

const publications = async ({ client, log }: StreamPorts): Promise<string[]> => {
  const { rows } = await client.query<{ name: string }>(
    'SELECT pubname AS name FROM pg_publication WHERE pubname = ANY ($1) ORDER BY 1',
    [[recordingName(log), insertOnlyRecordingName(log)]],
  );
  if (rows.length === 0)
    throw new XcError('XC-5030', { subject: recordingName(log), why: 'its publication was dropped' });
  return rows.map((row) => row.name);
};
