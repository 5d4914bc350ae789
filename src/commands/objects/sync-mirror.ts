/** One mirror of a sync: under its lease planned, admitted by guards and gates, carried out, proven and recorded. */

import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LoadedConfig } from '../../core/config/loaded.ts';
import { writeManifest, type LastManifest } from '../../core/mirror/last-manifest.ts';
import { checkAccess } from '../../core/mirror/make-plan.ts';
import type { MirrorWish } from '../../core/mirror/places.ts';
import { runSession, type SessionOutcome } from '../../core/mirror/session.ts';
import { Tallying } from '../../core/mirror/tally.ts';
import { guardDeletions, HALF, type DeleteLimit } from '../../core/mirror/totals.ts';
import { isoTime } from '../../core/time/clock.ts';
import type { Host } from '../frame/host.ts';
import { admit, judged } from './admission.ts';
import { openSpool } from './line-file.ts';
import { manifestSigning } from './manifest-signing.ts';
import { givenPlan, headOf, makePlan, type MirrorPlan } from './mirror-plan.ts';
import { reportOf, type MirrorReport } from './mirror-report.ts';
import {
  believedManifest,
  entriesOf,
  leaseOf,
  openMirror,
  portsOf,
  type MirrorOptions,
  type OpenMirror,
} from './open-mirror.ts';
import { openMirrorSpending } from './spending.ts';
import { showProgress } from './sync-progress.ts';

export interface SyncOptions extends MirrorOptions {
  readonly transfers: number;
  readonly bwlimit?: number | undefined;
  readonly maxDelete?: DeleteLimit | undefined;
  readonly immutable: boolean;
  /** Key of the canary object. */
  readonly checkAccess?: string | undefined;
  /** Where the plan is written. */
  readonly out?: string | undefined;
  /** A reviewed plan. */
  readonly plan?: string | undefined;
  readonly approval?: readonly string[] | undefined;
}

export interface SyncFrame {
  readonly host: Host;
  readonly loaded: LoadedConfig;
  readonly run: string;
  readonly options: SyncOptions;
  /** Told of the numbers as they change. */
  readonly measured: (wish: MirrorWish, tally: Tallying) => void;
}

export const syncMirror = async (frame: SyncFrame, wish: MirrorWish): Promise<MirrorReport> => {
  const { host, loaded, options } = frame;
  // Nothing is asked of a store that the tenant's data may not be in.
  await judged(frame, wish, wish.id, []);
  await using mirror = await openMirror(host, loaded, wish, options);
  const tally = new Tallying(wish.source.region, wish.target.region);
  frame.measured(wish, tally);
  if (options.checkAccess !== undefined) await checkAccess(mirror.ends, options.checkAccess);
  if (host.flags.dryRun) {
    const path = options.out === undefined ? null : resolve(host.cwd, options.out);
    const known = await believedManifest(host, loaded, mirror);
    const planned = await planUnder(frame, mirror, { known, path, tally, signal: host.signal });
    const policy = await admit(frame, mirror, planned);
    return reportOf(frame, mirror, { planned, policy, tally });
  }
  await using lease = await leaseOf(host, mirror, frame.run);
  const signal = AbortSignal.any([host.signal, lease.signal]);
  return await underLease(frame, mirror, tally, signal);
};

const underLease = async (
  frame: SyncFrame,
  mirror: OpenMirror,
  tally: Tallying,
  signal: AbortSignal,
): Promise<MirrorReport> => {
  const { host, loaded, options, run } = frame;
  const directory = resolve(host.cwd, '.xcrepl', 'mirrors', mirror.ends.mirror);
  const known = await believedManifest(host, loaded, mirror);
  const path = join(directory, 'plan.json');
  const planned =
    options.plan === undefined
      ? await planUnder(frame, mirror, { known, path, tally, signal })
      : await givenPlan(host, loaded, mirror, { file: options.plan, copy: path, tally });
  const policy = await admit(frame, mirror, planned);
  if (known !== null && isSettled(planned, known)) {
    tally.succeeded(host.clock.nowMs());
    await record(frame, mirror, 'objects.sync-end', planned, {
      outcome: 'no-change',
      manifest: known.digest,
    });
    await rm(directory, { recursive: true, force: true });
    return reportOf(frame, mirror, { planned, policy, tally, kept: known });
  }
  await record(frame, mirror, 'objects.sync-begin', planned, {});
  const outcome = await carriedOut(frame, mirror, { planned, tally, directory, signal });
  const signing = await manifestSigning(host, options);
  const complete = outcome.failed === 0;
  const manifest = await writeManifest(
    mirror.ends.target,
    {
      mirror: mirror.ends.mirror,
      tenant: mirror.wish.tenant,
      source: mirror.wish.source,
      target: mirror.wish.target,
      run,
      at: isoTime(host.clock.nowMs()),
      complete,
    },
    outcome.proven(),
    async (statement) => await signing.sign(statement),
  );
  await record(frame, mirror, 'objects.sync-end', planned, {
    copied: outcome.copied,
    replaced: outcome.replaced,
    deleted: outcome.deleted,
    failed: outcome.failed,
    bytesSent: outcome.bytesSent,
    manifest: manifest.digest,
    keyId: signing.keyId,
  });
  if (complete) tally.succeeded(host.clock.nowMs());
  await rm(directory, { recursive: true, force: true });
  const written = { ...manifest, keyId: signing.keyId, complete };
  return reportOf(frame, mirror, { planned, policy, tally, outcome, manifest: written });
};

const planUnder = async (
  { host, loaded, options }: SyncFrame,
  mirror: OpenMirror,
  {
    known,
    path,
    tally,
    signal,
  }: {
    readonly known: LastManifest | null;
    readonly path: string | null;
    readonly tally: Tallying;
    readonly signal: AbortSignal;
  },
): Promise<MirrorPlan> => {
  const head = await headOf(host, loaded, mirror, options.immutable);
  const entries = entriesOf(host, mirror, known, signal);
  const planned = await makePlan(host, head, entries, { path, tally });
  guardDeletions(mirror.wish.id, planned.totals, options.maxDelete ?? HALF);
  return planned;
};

/** Everything is as the last manifest says: there is nothing to do, and nothing new to prove. */
const isSettled = ({ totals: { objects }, unproven }: MirrorPlan, { says }: LastManifest): boolean =>
  says.complete &&
  unproven === 0 &&
  objects.copy + objects.replace + objects.delete + objects.unknown === 0 &&
  objects.same === says.objects;

const carriedOut = async (
  { host, loaded, options }: SyncFrame,
  mirror: OpenMirror,
  {
    planned,
    tally,
    directory,
    signal,
  }: {
    readonly planned: MirrorPlan;
    readonly tally: Tallying;
    readonly directory: string;
    readonly signal: AbortSignal;
  },
): Promise<SessionOutcome> => {
  const { wish, ends, filter } = mirror;
  await using spending = await openMirrorSpending(host, {
    loaded,
    wish,
    target: ends.target,
    bytesPerSecond: options.bwlimit,
    signal,
  });
  using _ = await spending.job();
  await using spool = await openSpool(join(directory, 'proven.ndjson'));
  const progress = showProgress(host, wish, planned.totals);
  const { transfers, immutable } = options;
  try {
    return await runSession({
      ports: portsOf(host, mirror, { transfers, immutable, pace: spending.pace, signal }),
      filter,
      entries: planned.entries,
      deletions: planned.totals.objects.delete,
      spool,
      tally,
      plannedAtMs: host.clock.nowMs(),
      done: (result) => progress.done(result),
    });
  } finally {
    progress.end();
  }
};

const record = async (
  { host, run }: SyncFrame,
  { wish }: OpenMirror,
  action: string,
  { id, totals, digest }: MirrorPlan,
  facts: Readonly<Record<string, string | number>>,
): Promise<void> => {
  const { copy, replace, delete: removals, same, unknown } = totals.objects;
  await host.audit.append({
    action,
    subject: wish.id,
    tenant: wish.tenant,
    run,
    plan: id,
    facts: {
      source: `${wish.source.region}:${wish.source.prefix}`,
      target: `${wish.target.region}:${wish.target.prefix}`,
      planned: `copy ${copy}, replace ${replace}, delete ${removals}, same ${same}, unknown ${unknown}`,
      ...(digest === null ? {} : { planDigest: digest }),
      ...facts,
    },
  });
};
