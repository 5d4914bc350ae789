/** Wires a recording: the link's source on one side, the files of its log on the other. */

import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { formatLsn, type Lsn } from '../../core/change/lsn.ts';
import { refuseGap, record, type Recorded } from '../../core/changelog/record.ts';
import { recordingKey, recordingName, streamsOf, type Link, type Stream } from '../../core/topology/link.ts';
import { tableName, type TableName } from '../../core/topology/table.ts';
import type { Finding } from '../../core/validation/finding.ts';
import { EXIT } from '../../core/errors/exit.ts';
import { closeLog, findLog, logStore } from '../../providers/changelog/log-store.ts';
import { parseDsn } from '../../providers/postgres/dsn.ts';
import { PostgresRecording } from '../../providers/postgres/record/record-source.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { Health } from '../../core/metrics/health.ts';
import { gateTable } from '../../core/plan/gates.ts';
import { refuseGates } from '../../core/plan/refuse-gates.ts';
import { refuseResidency } from '../../core/plan/refusals.ts';
import type { Removal } from '../../core/plan/removal.ts';
import { RunProgress } from '../../core/run/progress.ts';
import { prometheusMetrics } from '../../providers/prometheus/replication-metrics.ts';
import { policyContext } from './policy-context.ts';
import { serveFollowing } from './serve-following.ts';
import { admitRemoval, writeRemoval } from '../policy/admit-removal.ts';
import { boundYoungSpace } from '../../providers/system/young-space.ts';
import type { RemovalOptions } from '../policy/removal-options.ts';
import { confirmRegion } from './confirm.ts';
import { newId } from './planning.ts';
import { countText } from './quantities.ts';
import { findLink, regionDsns } from './selection.ts';

export interface RecordOptions extends RemovalOptions {
  readonly link: string;
  readonly to: string;
  readonly follow?: boolean | undefined;
  readonly metricsAddr?: string | undefined;
  readonly until?: Lsn | undefined;
  readonly maxDuration?: number | undefined;
  readonly rotateBytes: number;
  readonly copy: boolean;
  readonly confirm?: string | undefined;
}

interface Parts {
  readonly link: Link;
  readonly controlPlane: string;
  readonly path: string;
  readonly log: string;
  readonly source: PostgresRecording;
  readonly stream: Stream;
}

export const recordLink = async (host: Host, options: RecordOptions): Promise<Outcome> => {
  boundYoungSpace();
  const { signal, end } = limited(host, options.maxDuration);
  const metrics = prometheusMetrics();
  const progress = new RunProgress(metrics);
  const health = new Health();
  await using opened = new AsyncDisposableStack();
  try {
    const server = host.flags.dryRun ? null : await serveFollowing(host, options, metrics, health);
    if (server) opened.use(server);
    return await withSource(host, { ...options, progress }, !host.flags.dryRun, async (parts) => {
      await refuseRecordingGates(host, parts);
      health.set(parts.stream.key, 'streaming');
      if (host.flags.dryRun) return await preview(parts, options);
      const { link, controlPlane, path, log, source } = parts;
      const back = host.leaves(
        `slot ${recordingName(log)} on ${link.source}, which the next recording goes on with`,
      );
      const store = logStore({ path, rotateBytes: options.rotateBytes });
      const until: Lsn | 'now' | null = options.follow ? null : (options.until ?? 'now');
      const request = { log, link, controlPlane, copy: options.copy, until };
      const recorded = await record(request, source, store, host.clock, signal);
      back();
      return outcome(parts, recorded);
    });
  } finally {
    end();
  }
};

export const stopRecording = async (host: Host, options: RecordOptions): Promise<Outcome> =>
  await withSource(host, options, !host.flags.dryRun, async ({ link, path, log, source }) => {
    const found = await findLog(path);
    const open = found !== null && !found.closed;
    const removal = await removalOf({ link, path, log, source }, found);
    if (options.out !== undefined) return await writeRemoval(host, removal, options.out);
    if (host.flags.dryRun) {
      const slot = (await source.slot()) !== null;
      const would = [...(open ? ['seal the log'] : []), ...(slot ? [`drop slot ${recordingName(log)}`] : [])];
      return shown({ dryRun: true, link: link.id, log, would }, `would do: ${would.join(', ') || 'nothing'}`);
    }
    await confirmRegion(host, link.source, options.confirm, `end the recording of ${link.id}`);
    await admitRemoval(host, removal, options);
    const removed = await source.drop();
    const closed = await closeLog({ path, rotateBytes: options.rotateBytes });
    const changed = closed || removed.length > 0;
    const lines = [
      changed ? `${path}: ${closed ? 'closed' : 'was closed'}` : `no change: nothing records into ${path}`,
      ...removed.map((what) => `removed ${what}`),
    ];
    return shown({ link: link.id, log, changed, closed, removed }, lines.join('\n'));
  });

const removalOf = async (
  { link, path, log, source }: Pick<Parts, 'link' | 'path' | 'log' | 'source'>,
  found: Awaited<ReturnType<typeof findLog>>,
): Promise<Removal> => ({
  action: 'replication record --stop',
  subject: link.id,
  region: link.source,
  destroys: [
    ...(found !== null && !found.closed ? [`ends the log ${path}`] : []),
    ...((await source.slot()) === null ? [] : [`drops slot ${recordingName(log)}, and what it keeps`]),
  ],
  rests: { log, start: found?.header.start ?? null },
});

const shown = (document: object, text: string): Outcome => ({
  document: { schemaVersion: 1, ...document },
  table: () => text,
});

/** A log leaves its region as a stream does: what may not go to the link's target is not written down for it. */
const refuseRecordingGates = async (
  host: Host,
  { link, source }: Pick<Parts, 'link' | 'source'>,
): Promise<void> => {
  const loaded = await host.config();
  const carried = new Map([[link, await source.tables()]]);
  refuseResidency(carried);
  const rows = gateTable(
    carried,
    { mode: loaded.mode, policy: policyContext(loaded) },
    { id: link.id, nowMs: host.clock.nowMs(), findings: [], used: () => undefined },
  );
  // It replaces nothing, and no budget is about a file.
  refuseGates(rows, link.id, ['P3', 'P6', 'P7']);
};

const withSource = async <T>(
  host: Host,
  options: RecordOptions & { readonly progress?: RunProgress },
  lock: boolean,
  work: (parts: Parts) => Promise<T>,
): Promise<T> => {
  const loaded = await host.config();
  const { controlPlane, hashKeys } = loaded.config;
  const link = findLink(loaded, options.link);
  const path = resolve(host.cwd, options.to);
  const dsns = await regionDsns(host, loaded, [link.source]);
  const dsn = dsns.get(link.source)!;
  const database = { [link.source]: parseDsn(dsn, link.source).database };
  const [stream] = streamsOf(controlPlane, [link], database);
  const keys = new Map<string, Uint8Array>();
  for (const [name, reference] of Object.entries(hashKeys))
    keys.set(name, Buffer.from(await host.secret(reference)));
  // A log that was moved goes on with the slot that it was begun with.
  const found = await findLog(path);
  const log = found?.header.log ?? recordingKey(controlPlane, link.id, hostname(), path);
  await using source = new PostgresRecording({
    stream: stream!,
    dsn: { source: dsn, target: dsn },
    run: await newId(host, 'rn'),
    host: hostname(),
    pid: process.pid,
    signal: host.signal,
    link,
    log,
    hashKeys: keys,
    clock: host.clock,
    lockTimeoutMs: host.flags.lockTimeoutMs ?? 0,
    note: (text) => host.narrator.info(text),
    progress: options.progress?.of(stream!),
  });
  await source.open(lock);
  return await work({ link, controlPlane, path, log, source, stream: stream! });
};

/** --max-duration ends a recording as an interruption does, only without being one. */
const limited = (host: Host, ms: number | undefined): { signal: AbortSignal; end: () => void } => {
  const over = new AbortController();
  const timer =
    ms === undefined
      ? undefined
      : setTimeout(() => over.abort(new DOMException('--max-duration is over', 'AbortError')), ms);
  return { signal: AbortSignal.any([host.signal, over.signal]), end: () => clearTimeout(timer) };
};

const preview = async (
  { link, controlPlane, path, log, source }: Parts,
  options: RecordOptions,
): Promise<Outcome> => {
  const found = await findLog(path);
  if (found) {
    await refuseGap(found, { link, controlPlane }, source);
    const position = formatLsn(found.position);
    return shown(
      { dryRun: true, link: link.id, log, would: 'go on', position },
      `${link.id}: would go on behind ${position}`,
    );
  }
  const tables = (await source.tables()).map(tableName);
  const copies = options.copy ? `copy ${tables.length} tables` : 'copy nothing';
  return shown(
    {
      dryRun: true,
      link: link.id,
      log,
      would: 'begin',
      slot: recordingName(log),
      tables,
      copy: options.copy,
    },
    `${link.id}: would create slot and publication ${recordingName(log)} on ${link.source}, ${copies} and begin ${path}`,
  );
};

const outcome = ({ link, path, log }: Parts, recorded: Recorded): Outcome => {
  const { position, changes, transactions, copied, begun, files, gone } = recorded;
  const changed = begun || changes > 0;
  const what = [
    ...(begun ? [`${countText(copied)} rows copied`] : []),
    `${countText(changes)} changes in ${countText(transactions)} transactions`,
    `up to ${formatLsn(position)}`,
  ].join(', ');
  const findings = gone.map((table) => goneFinding(table, link));
  const made = shown(
    {
      link: link.id,
      log,
      file: path,
      files,
      changed,
      begun,
      copiedRows: copied,
      changes,
      transactions,
      position: formatLsn(position),
      findings,
    },
    [
      `${path}: ${changed ? what : `no change, ${what}`}`,
      ...findings.map(({ code, subject, seen }) => `${code} ${subject}: ${seen}`),
    ].join('\n'),
  );
  return findings.length === 0 ? made : { ...made, exit: EXIT.partly };
};

const goneFinding = (table: TableName, { source }: Link): Finding => ({
  check: 'recorded-table',
  region: source,
  subject: table,
  verdict: 'fail',
  severity: 'warn',
  seen: 'dropped before its last changes were read: they are not in the log',
  remedy:
    'record with --follow, so that the log is not behind; changes that are lost to it are lost for good',
  code: 'XC-5043',
});
