/** Wires one run: configuration, engines, metrics, journal and report. */

import { resolve } from 'node:path';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import { Health } from '../../core/metrics/health.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { REPAIR_DISCARDS } from '../../core/plan/destroys.ts';
import { refuseUnavailable } from '../../core/plan/refusals.ts';
import { liveStream } from '../../core/run/live-stream.ts';
import { isUnfinished } from '../../core/run/journal.ts';
import { RunProgress } from '../../core/run/progress.ts';
import { runSession, type SessionEnd } from '../../core/run/session.ts';
import { isoTime } from '../../core/time/clock.ts';
import type { Stream } from '../../core/topology/link.ts';
import { prometheusMetrics } from '../../providers/prometheus/replication-metrics.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import { openStateDirectory, type StateDirectory } from '../../providers/system/state-directory.ts';
import { boundYoungSpace } from '../../providers/system/young-space.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { confirmRegion } from './confirm.ts';
import { hashKeysOf } from './hash-keys.ts';
import { followConfiguration } from './follow-configuration.ts';
import { newId, wishOf, wishOfPlan } from './planning.ts';
import { narrate } from './narrate.ts';
import { rememberOnTargets } from './remember-manifests.ts';
import { runPolicy } from './run-policy.ts';
import { openBudgets } from './budgets.ts';
import { recordBegin, recordEnd, settlingNowAndThen } from './record-run.ts';
import { withFormerStreams } from './former-streams.ts';
import { serveFollowing } from './serve-following.ts';
import { selectLinks, type Selected } from './selection.ts';
import { heldByAnother, readPlan, scopedTo } from './reviewed-plan.ts';
import { openEngine, type RunOptions, type RunParts } from './run-parts.ts';
import { planNow, refreshed, replan } from './run-plans.ts';
import { standbyOf, stoodBy } from './standby.ts';
import { fold, writeReport } from './run-report.ts';

export const runReplication = async (host: Host, options: RunOptions): Promise<Outcome> => {
  const standby = standbyOf(options);
  const loaded = await host.config();
  const reviewed = options.plan === undefined ? null : await readPlan(host, options.plan);
  const selected = await withFormerStreams(host, await selectLinks(host, loaded, reviewed ? {} : options));
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
  const server = await serveFollowing(host, options, metrics, health);
  if (server) opened.use(server);
  const store = await openStateDirectory(resolve(host.cwd, '.xcrepl'));
  await tellOfUnfinished(host, store);
  if (options.follow) opened.use(settlingNowAndThen(host));
  const gates = await runPolicy(host, {
    reviewed,
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
  if (standby && !end.plan) return stoodBy(run, scoped);
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

const session = async (host: Host, parts: RunParts): Promise<SessionEnd> => {
  boundYoungSpace();
  const { options, selected, hashKeys, run, metrics } = parts;
  const streams = selected.streams.map(liveStream);
  const narration = narrate(host);
  const progress = new RunProgress(metrics, narration.progress);
  await using follower = followConfiguration(host, selected, hashKeys);
  await using budgets = openBudgets(host, selected);
  let now = parts;
  const open = (stream: Stream) =>
    openEngine(host, parts, stream, progress, budgets.paceOf(stream, progress.of(stream)));
  const stopListening = progress.onApplied((stream, lagMs) => budgets.applied(stream, lagMs));
  try {
    return await runSession(
      {
        run,
        streams,
        follow: options.follow ?? false,
        maxDurationMs: options.maxDuration ?? null,
        maxLagMs: options.maxLag ?? null,
        standby: standbyOf(options) && { limitMs: host.flags.lockTimeoutMs ?? null },
      },
      {
        clock: host.clock,
        metrics,
        health: parts.health,
        progress,
        store: parts.store,
        open,
        plan: async () => {
          const plan = await planNow(host, now, streams);
          await admit(host, now, plan);
          return plan;
        },
        replan: (stream, without) => replan(host, parts, streams, follower, stream, without),
        watch: (stream) => follower.watch(stream),
        refresh: async () => {
          now = await refreshed(parts, streams, follower);
        },
        observer: narration.steps,
        warn: (text) => host.narrator.warn(text),
        tell: (text) => host.narrator.info(text),
      },
      host.signal,
    );
  } catch (error) {
    throw parts.reviewed ? heldByAnother(error, parts.options.plan!) : error;
  } finally {
    stopListening();
    parts.gates.measured(budgets.latencies());
    narration.end();
  }
};

/** What the gates let through is told of before it begins. */
const admit = async (host: Host, { gates, run, store, selected }: RunParts, plan: Plan): Promise<void> => {
  gates.refuse(plan);
  await rememberOnTargets(host, selected);
  await gates.keep(resolve(store.path, 'runs', run, 'approvals'));
  await recordBegin(host, run, plan, gates);
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
