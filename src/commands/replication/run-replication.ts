/** Wires one run: configuration, engines, metrics, journal and report. */

import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { readFile } from 'node:fs/promises';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import { Health } from '../../core/metrics/health.ts';
import { edgeOf } from '../../core/metrics/metrics.ts';
import { makePlan, type PlanWish } from '../../core/plan/make-plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { REPAIR_DISCARDS } from '../../core/plan/plan-stream.ts';
import { refuseGates } from '../../core/plan/refuse-gates.ts';
import { refuseUnavailable } from '../../core/plan/refusals.ts';
import { foldReport, type RunReport } from '../../core/report/report.ts';
import { liveStream, type LiveStream } from '../../core/run/live-stream.ts';
import type { Pace } from '../../core/replication/pace.ts';
import { isUnfinished } from '../../core/run/journal.ts';
import { parsePlan } from '../../core/run/plan-file.ts';
import { RunProgress } from '../../core/run/progress.ts';
import { planToRun } from '../../core/run/resume.ts';
import { runSession, type SessionEnd } from '../../core/run/session.ts';
import type { StreamEngine } from '../../core/replication/engine.ts';
import { isoTime } from '../../core/time/clock.ts';
import type { Stream } from '../../core/topology/link.ts';
import { retentionRule } from '../../core/metrics/retained-wal.ts';
import type { RegionConfig } from '../../core/config/schema.ts';
import type { EngineOptions } from '../../providers/postgres/engine/options.ts';
import { openStreamEngine } from '../../providers/registry.ts';
import { readMigrations } from '../../providers/postgres/migrations.ts';
import { prometheusMetrics, type PrometheusMetrics } from '../../providers/prometheus/replication-metrics.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import { openStateDirectory, type StateDirectory } from '../../providers/system/state-directory.ts';
import type { MetricsServer } from '../../providers/prometheus/metrics-server.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { rememberVersions } from '../policy/known-versions.ts';
import { confirmRegion } from './confirm.ts';
import { hashKeysOf } from './hash-keys.ts';
import { followConfiguration, type Follower } from './follow-configuration.ts';
import { gather, newId, wishOf, wishOfPlan, type PlanOptions } from './planning.ts';
import { narrate } from './narrate.ts';
import { runPolicy, type RunPolicy } from './run-policy.ts';
import { openBudgets } from './budgets.ts';
import { recordBegin, recordEnd, settlingNowAndThen } from './record-run.ts';
import { selectLinks, type Selected } from './selection.ts';

export interface RunOptions extends PlanOptions {
  readonly plan?: string | undefined;
  readonly follow?: boolean | undefined;
  readonly maxDuration?: number | undefined;
  readonly maxLag?: number | undefined;
  readonly existing: 'refuse' | 'replace';
  readonly confirm?: string | undefined;
  readonly metricsAddr?: string | undefined;
  readonly approval?: readonly string[] | undefined;
  readonly reportDir: string;
}

export const runReplication = async (host: Host, options: RunOptions): Promise<Outcome> => {
  const loaded = await host.config();
  const reviewed = options.plan === undefined ? null : await readPlan(host, options.plan);
  const selected = await selectLinks(host, loaded, reviewed ? {} : options);
  const scoped = reviewed ? scopedTo(selected, reviewed) : selected;
  refuseUnavailable(scoped.links);
  const wish = reviewed ? wishOfPlan(selected, reviewed) : await wishOf(selected, options);
  const hashKeys = await hashKeysOf(host, loaded);
  const existing = reviewed?.wish.existing ?? options.existing;
  if (existing === 'replace') await confirmReplacing(host, scoped, options.confirm);
  const discards = reviewed?.findings.find((finding) => finding.check === REPAIR_DISCARDS);
  if (discards?.region !== undefined)
    await confirmRegion(
      host,
      discards.region,
      options.confirm,
      `delete rows that only ${discards.region} has`,
    );
  const run = await newId(host, 'rn');
  const metrics = prometheusMetrics();
  const health = new Health();
  const startedAt = isoTime(host.clock.nowMs());
  await using opened = new AsyncDisposableStack();
  const server = await serve(host, options, metrics, health);
  if (server) opened.use(server);
  const store = await openStateDirectory(resolve(host.cwd, '.xcrepl'));
  if (loaded.manifests) await rememberVersions(host.cwd, loaded.manifests);
  await tellOfUnfinished(host, store);
  if (options.follow) opened.use(settlingNowAndThen(host));
  const gates = await runPolicy(host, {
    planFile: options.plan,
    approvals: options.approval,
    existing: existing === 'replace' ? existing : undefined,
    links: scoped.links,
    observability: { longRunning: options.follow ?? false, servedAt: server?.url ?? null },
  });
  const parts: RunParts = {
    options: { ...options, existing },
    gates,
    selected: scoped,
    hashKeys,
    wish,
    reviewed,
    run,
    store,
    metrics,
    health,
  };
  const end =
    reviewed?.kind === 'repair-rows' ? await repair(host, parts, reviewed) : await session(host, parts);
  const report = await fold(host, { selected: scoped, run, store, startedAt, gates }, end);
  const files = await writeReport(host, options.reportDir, report);
  if (end.plan) await recordEnd(host, report, end.plan, (await store.read(run))?.entries ?? []);
  if (host.flags.metricsTextfile !== undefined)
    await writeDurably(resolve(host.cwd, host.flags.metricsTextfile), await metrics.text());
  return {
    document: report,
    exit: report.exit,
    table: async (paint) => {
      const { runView } = await import('./run-view.ts');
      return runView(report, files, paint);
    },
  };
};

/** History only: what is left to do is read from the target, whichever host the run before was on. */
const tellOfUnfinished = async (host: Host, store: StateDirectory): Promise<void> => {
  const [newest] = await store.runs();
  if (newest === undefined) return;
  try {
    const stored = await store.read(newest);
    if (stored && isUnfinished(stored))
      host.narrator.info(`run ${stored.run} was cut short; what it left to do is taken up`);
  } catch (error) {
    if (!isXcError(error)) throw error;
    host.narrator.warn(
      `the history of run ${newest} cannot be read, which decides nothing: ${error.message}`,
    );
  }
};

/** Replacing deletes rows of the links' tenants: the region's name is asked for, as wherever something is destroyed. */
const confirmReplacing = async (
  host: Host,
  { links }: Selected,
  given: string | undefined,
): Promise<void> => {
  const [region, ...others] = [...new Set(links.map((link) => link.target))].toSorted();
  if (region === undefined) return;
  if (others.length > 0)
    throw new XcError('XC-1306', {
      subject: '--existing replace',
      why: `it would work on ${[region, ...others].join(', ')}; one region is confirmed at a time`,
      next: 'select one with --to REGION, and repeat it for the others',
    });
  await confirmRegion(host, region, given, `replace rows of ${links.length} links on ${region}`);
};

const readPlan = async (host: Host, file: string): Promise<Plan> => {
  const path = resolve(host.cwd, file);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new XcError('XC-1303', {
      subject: file,
      why: error instanceof Error ? error.message : String(error),
    });
  });
  return parsePlan(text, file);
};

/** A plan names its links; the streams are those that carry them, or that its steps are on. */
const scopedTo = (selected: Selected, { wish, steps }: Plan): Selected => {
  const ids = new Set(wish.links);
  const keys = new Set(steps.map((step) => step.stream));
  const streams = selected.streams.filter(
    (stream) => keys.has(stream.key) || stream.links.some((link) => ids.has(link.id)),
  );
  return { ...selected, ids, streams, links: selected.links.filter((link) => ids.has(link.id)) };
};

interface RunParts {
  readonly options: RunOptions;
  readonly gates: RunPolicy;
  readonly selected: Selected;
  readonly hashKeys: Map<string, Uint8Array>;
  readonly wish: PlanWish;
  readonly reviewed: Plan | null;
  readonly run: string;
  readonly store: StateDirectory;
  readonly metrics: PrometheusMetrics;
  readonly health: Health;
}

const session = async (host: Host, parts: RunParts): Promise<SessionEnd> => {
  const { options, selected, hashKeys, run, metrics } = parts;
  const streams = selected.streams.map(liveStream);
  const narration = narrate(host);
  const progress = new RunProgress(metrics, narration.progress);
  await using follower = followConfiguration(host, selected, hashKeys);
  await using budgets = openBudgets(host, selected);
  const open = (stream: Stream) =>
    openEngine(host, parts, stream, progress, budgets.paceOf(stream, progress.of(stream)));
  try {
    return await runSession(
      {
        run,
        streams,
        follow: options.follow ?? false,
        maxDurationMs: options.maxDuration ?? null,
        maxLagMs: options.maxLag ?? null,
      },
      {
        clock: host.clock,
        metrics,
        health: parts.health,
        progress,
        store: parts.store,
        open,
        plan: async () => {
          const plan = await planNow(host, parts, streams);
          await admit(host, parts, plan);
          return plan;
        },
        replan: (stream, without) => replan(host, parts, streams, follower, stream, without),
        watch: (stream) => follower.watch(stream),
        observer: narration.steps,
        warn: (text) => host.narrator.warn(text),
      },
      host.signal,
    );
  } catch (error) {
    throw parts.reviewed ? heldByAnother(error, parts.options.plan!) : error;
  } finally {
    narration.end();
  }
};

/** What the gates let through is told of before it begins. */
const admit = async (host: Host, { gates, run, store }: RunParts, plan: Plan): Promise<void> => {
  gates.refuse(plan);
  await gates.keep(resolve(store.path, 'runs', run, 'approvals'));
  await recordBegin(host, run, plan, gates.approvers);
};

/** What a plan does to slots and links cannot be done below a run that streams from them. */
const heldByAnother = (error: unknown, file: string): unknown => {
  if (!isXcError(error, 'XC-7002')) return error;
  const { subject, why, facts, cause } = error;
  const pid =
    typeof facts['pid'] === 'number' ? `kill -TERM ${facts['pid']} on ${String(facts['host'])}` : 'end it';
  return new XcError('XC-7002', {
    ...(subject === undefined ? {} : { subject }),
    ...(why === undefined ? {} : { why }),
    facts,
    cause,
    next: `the plan needs the stream for itself: stop that run (${pid}), run xcrepl replication run --plan ${file}, and start it again`,
  });
};

const openEngine = (
  host: Host,
  parts: RunParts,
  stream: Stream,
  progress: RunProgress,
  pace: Pace | null = null,
): StreamEngine => {
  const { options, selected, hashKeys, run } = parts;
  return openStreamEngine({
    ...(pace ? { pace } : {}),
    stream,
    controlPlane: selected.loaded.config.controlPlane,
    dsn: {
      source: selected.dsns.get(stream.source.region)!,
      target: selected.dsns.get(stream.target.region)!,
    },
    hashKeys,
    run,
    host: hostname(),
    pid: process.pid,
    clock: host.clock,
    random: host.random,
    progress: progress.of(stream),
    existing: options.existing,
    lockTimeoutMs: host.flags.lockTimeoutMs ?? 0,
    copyWorkers: COPY_WORKERS,
    upkeep: upkeepOf(selected.loaded.config.regions[stream.source.region]),
    signal: host.signal,
  });
};

/** Nothing is streamed: a run that follows goes on beside it. */
const repair = async (host: Host, parts: RunParts, reviewed: Plan): Promise<SessionEnd> => {
  if (parts.options.follow)
    throw new XcError('XC-1001', {
      subject: '--follow',
      why: 'the plan repairs rows, and streams nothing',
      next: 'run it without --follow; a run that follows goes on beside it',
    });
  const { runRowRepair } = await import('./repair-rows.ts');
  return await runRowRepair(host, {
    ...parts,
    reviewed,
    open: (stream, progress) => openEngine(host, parts, stream, progress),
    admit: (plan) => admit(host, parts, plan),
  });
};

/** Chunks of one table that are copied side by side: one core decodes what the other sends. */
const COPY_WORKERS = 4;

const planNow = async (host: Host, parts: RunParts, streams: readonly Stream[]): Promise<Plan> => {
  const { selected, reviewed, wish, metrics } = parts;
  const facts = await gather(host, selected, streams);
  // A run that fails still says when the last one did not: alerts rest on it.
  for (const { stream, target } of facts.streams)
    if (target.lastSuccessMs) metrics.succeeded(edgeOf(stream), target.lastSuccessMs);
  await refuseUninitialised(facts.streams.map(({ target }) => target));
  const nowMs = host.clock.nowMs();
  const tablesLater = parts.options.follow ?? false;
  if (!reviewed) return makePlan(facts, { ...wish, tablesLater }, { id: await newId(host, 'pl'), nowMs });
  return planToRun(reviewed, makePlan(facts, wish, { id: reviewed.id, nowMs }), nowMs);
};

const refuseUninitialised = async (
  targets: readonly { readonly region: string; readonly schemaVersion: number | null }[],
): Promise<void> => {
  const newest = (await readMigrations()).at(-1)?.version ?? 0;
  const behind = targets.find((target) => (target.schemaVersion ?? 0) < newest);
  if (behind)
    throw new XcError('XC-2016', {
      subject: behind.region,
      why:
        behind.schemaVersion === null
          ? 'there is no schema xcrepl'
          : `it is at version ${behind.schemaVersion} of ${newest}`,
      next: `xcrepl init --region ${behind.region}`,
    });
};

/** While following, a link of the same streams that the configuration begins to name joins by itself. */
const replan = async (
  host: Host,
  parts: RunParts,
  streams: readonly LiveStream[],
  follower: Follower,
  stream: Stream,
  without: ReadonlySet<string>,
): Promise<Plan> => {
  const selected = await follower.selected();
  const now = selected.streams.find((each) => each.key === stream.key);
  streams.find((each) => each.key === stream.key)?.update(now?.links ?? []);
  const ids = new Set([...selected.ids].filter((id) => !without.has(id)));
  const wish = await wishOf({ loaded: selected.loaded, ids }, parts.options);
  const facts = await gather(host, { ...selected, ids }, [now ?? { ...stream, links: [] }]);
  const plan = makePlan(facts, wish, { id: await newId(host, 'pl'), nowMs: host.clock.nowMs() });
  refuseGates(plan.policy, plan.id, ['P3', 'P6']);
  return plan;
};

/** Whatever runs until it is stopped is served (gate P4), on a port of its own where none was named. */
const ANY_PORT = '127.0.0.1:0';

const serve = async (
  host: Host,
  options: RunOptions,
  metrics: PrometheusMetrics,
  health: Health,
): Promise<MetricsServer | null> => {
  if (!options.follow) return null;
  const { serveMetrics } = await import('../../providers/prometheus/metrics-server.ts');
  const server = await serveMetrics(options.metricsAddr ?? ANY_PORT, metrics, () => health.report());
  host.narrator.info(`health and metrics on ${server.url}`);
  return server;
};

const fold = async (
  host: Host,
  {
    selected,
    run,
    store,
    startedAt,
    gates,
  }: { selected: Selected; run: string; store: StateDirectory; startedAt: string; gates: RunPolicy },
  end: SessionEnd,
): Promise<RunReport> => {
  const stored = await store.read(run);
  if (!stored) throw new XcError('XC-6002', { subject: store.path, why: `run ${run} is not there any more` });
  return foldReport(
    {
      run,
      plan: stored.plan,
      version: host.version,
      commit: host.commit,
      missing: selected.loaded.missing,
      policy: gates.rows ?? stored.plan.policy,
      startedAt,
      endedAt: isoTime(host.clock.nowMs()),
      errors: end.errors,
      errored: end.errored,
      cutShort: end.cutShort,
      lagging: end.lagging,
      ...(end.interruption === undefined ? {} : { interruption: end.interruption }),
    },
    stored.entries,
  );
};

const writeReport = async (host: Host, directory: string, report: RunReport): Promise<readonly string[]> => {
  const { reportMarkdown } = await import('../../core/report/markdown.ts');
  const at = (name: string): string => resolve(host.cwd, directory, report.run, name);
  await writeDurably(at('report.json'), `${host.redact(JSON.stringify(report, null, 2))}\n`);
  await writeDurably(at('report.md'), host.redact(reportMarkdown(report)));
  return [at('report.json'), at('report.md')];
};

const upkeepOf = (region: RegionConfig | undefined): NonNullable<EngineOptions['upkeep']> => {
  const heartbeat = region?.postgres?.heartbeat;
  return {
    ...(heartbeat === undefined ? {} : { heartbeatMs: heartbeat === 'off' ? null : heartbeat }),
    retention: retentionRule(region),
  };
};
