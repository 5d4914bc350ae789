/**
 * Pauses and resumes links. The wish is written into the target, where a run that follows sees it. Without a run, pausing
 * is carried out here under the stream's lock; what was resumed catches up in the next run.
 */

import type { Client } from 'pg';
import { logPath } from '../../core/changelog/log-address.ts';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import { makePlan } from '../../core/plan/make-plan.ts';
import { linkStatuses } from '../../core/report/status.ts';
import { retentionRule } from '../../core/metrics/retained-wal.ts';
import type { LinkId, Stream } from '../../core/topology/link.ts';
import { connect, disconnect } from '../../providers/postgres/connect.ts';
import { askForPause, readLinkRows, type Asked } from '../../providers/postgres/target-state.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { pauseOutcome, type PausedLink, type PauseVerb } from './pause-view.ts';
import { gather, newId, wishOf } from './planning.ts';
import { openQuietEngine } from './quiet-engine.ts';
import { findLink, selectLinks, type Selected, type Selection } from './selection.ts';

export interface PauseOptions extends Selection {
  readonly link?: string | undefined;
  readonly rule?: string | undefined;
}

/** How often to look whether the run that follows has done it, how often to try without it, and how long in all. */
const POLL_MS = 500;
const TRY_MS = 5_000;
const WAIT_MS = 60_000;

export const pauseLinks = async (host: Host, verb: PauseVerb, options: PauseOptions): Promise<Outcome> => {
  const selected = await selectNamed(host, options);
  refuseLogs(selected, verb);
  const asked: Asked[] = [];
  for (const stream of selected.streams) asked.push(...(await onStream(host, selected, stream, verb)));
  const links = await seen(host, selected, asked);
  for (const { link, state, changed } of links)
    if (changed && !host.flags.dryRun)
      await host.audit.append({
        action: `replication.${verb}`,
        subject: link,
        tenant: selected.links.find(({ id }) => id === link)?.tenant ?? '',
        facts: { state },
      });
  return pauseOutcome(verb, links, host.flags.dryRun);
};

/** @throws XcError XC-1210 when nothing narrows it down, XC-1304 */
const selectNamed = async (host: Host, { link: name, rule, ...options }: PauseOptions): Promise<Selected> => {
  const loaded = await host.config();
  if (name === undefined && rule === undefined && options.tenant === undefined) throw new XcError('XC-1210');
  if (rule !== undefined && !loaded.config.rules.some(({ id }) => id === rule))
    throw new XcError('XC-1006', { subject: `rule ${rule}` });
  const one = name === undefined ? null : findLink(loaded, name);
  const selected = await selectLinks(host, loaded, one ? { from: one.source, to: one.target } : options);
  const links = selected.links.filter(
    (link) => (one === null || link.id === one.id) && (rule === undefined || link.rule.id === rule),
  );
  const ids = new Set(links.map(({ id }) => id));
  if (ids.size === 0)
    throw new XcError('XC-1304', { why: `no link of rule ${rule ?? ''} fits the other options` });
  const streams = selected.streams.filter((stream) => stream.links.some(({ id }) => ids.has(id)));
  return { ...selected, links, ids, streams };
};

const refuseLogs = ({ links, dsns }: Selected, verb: PauseVerb): void => {
  const replayed = links.filter(({ source }) => logPath(dsns.get(source) ?? '') !== null);
  if (replayed.length > 0)
    throw new XcError('XC-1211', {
      subject: replayed.map(({ id }) => id).join(', '),
      why: `it replays a change log, which keeps everything by itself; nothing is there to ${verb}`,
      next: 'end the run that replays it; the next one goes on where it stood',
    });
};

const onStream = async (
  host: Host,
  selected: Selected,
  stream: Stream,
  verb: PauseVerb,
): Promise<Asked[]> => {
  const ids = stream.links.flatMap(({ id }) => (selected.ids.has(id) ? [id] : []));
  const { region, database } = stream.target;
  const client = await connect(selected.dsns.get(region) ?? '', {
    subject: region,
    database,
    signal: host.signal,
  });
  try {
    const rows = await readLinkRows(client, ids);
    refuseUnfit(verb, ids, rows);
    if (host.flags.dryRun) return rows.map((row) => ({ ...row, changed: wouldChange(verb, row.state) }));
    const asked = await askForPause(client, ids, verb, region);
    if (verb === 'pause') await carryOut(host, selected, stream, client, asked);
    const after = await readLinkRows(client, ids);
    return after.map(({ link, state }) => ({
      link,
      state,
      changed: asked.some((one) => one.link === link && one.changed),
    }));
  } finally {
    await disconnect(client);
  }
};

const PAUSABLE = ['streaming', 'catching-up', 'errored', 'pausing', 'paused'];
const RESUMABLE = [...PAUSABLE, 'copying'];

/** All of them before any: half of what was asked for is nothing that anybody asked for. */
const refuseUnfit = (
  verb: PauseVerb,
  ids: readonly LinkId[],
  rows: Awaited<ReturnType<typeof readLinkRows>>,
): void => {
  const fit = verb === 'pause' ? PAUSABLE : RESUMABLE;
  const unfit = ids.flatMap((id) => {
    const row = rows.find(({ link }) => link === id);
    const state = row === undefined ? 'never-run' : row.takenOff ? 'stopped' : row.state;
    return fit.includes(state) ? [] : [{ id, state }];
  });
  if (unfit.length === 0) return;
  const repair = unfit.some(({ state }) => state === 'needs-repair');
  throw new XcError('XC-1211', {
    subject: unfit.map(({ id }) => id).join(', '),
    why: unfit.map(({ id, state }) => `${id} is ${state}`).join('; '),
    ...(repair
      ? {
          next: 'xcrepl replication doctor --plan repair.json, then xcrepl replication run --plan repair.json',
        }
      : {}),
  });
};

const wouldChange = (verb: PauseVerb, state: string): boolean =>
  verb === 'pause' ? state !== 'pausing' && state !== 'paused' : state === 'pausing' || state === 'paused';

/** Until every link that is to be paused is: by the run that holds the stream, or here once nobody does. */
const carryOut = async (
  host: Host,
  selected: Selected,
  stream: Stream,
  client: Client,
  asked: readonly Asked[],
): Promise<void> => {
  const ids = asked.map(({ link }) => link);
  const open = async (): Promise<LinkId[]> =>
    (await readLinkRows(client, ids)).flatMap(({ link, state }) => (state === 'pausing' ? [link] : []));
  const deadlineMs = host.clock.nowMs() + (host.flags.timeoutMs ?? WAIT_MS);
  let tryMs = host.clock.nowMs();
  let told = false;
  for (let left = await open(); left.length > 0; left = await open()) {
    if (host.clock.nowMs() >= tryMs) {
      const holder = await splitHere(host, selected, stream);
      if (holder !== null && !told) host.narrator.info(`left to the run that holds the stream: ${holder}`);
      told ||= holder !== null;
      if (holder === null && (await open()).length === 0) return;
      tryMs = host.clock.nowMs() + TRY_MS;
    }
    if (host.clock.nowMs() >= deadlineMs)
      throw new XcError('XC-7001', {
        subject: left.join(', '),
        why: 'nobody could put them on slots of their own yet',
        next: 'xcrepl replication status shows when it has; xcrepl replication resume takes the wish back',
      });
    await host.clock.sleep(POLL_MS, host.signal);
  }
};

/** @returns who holds the stream, where somebody does; null once it is done */
const splitHere = async (host: Host, selected: Selected, stream: Stream): Promise<string | null> => {
  const run = await newId(host, 'rn');
  await using engine = openQuietEngine(host, selected, stream, run);
  try {
    await engine.acquire();
  } catch (error) {
    if (isXcError(error, 'XC-7002')) return error.why ?? error.message;
    throw error;
  }
  const none = { ...selected, ids: new Set<LinkId>() };
  const facts = await gather(host, none, [stream]);
  const plan = makePlan(facts, await wishOf(none, {}), { id: run, nowMs: host.clock.nowMs() });
  for (const step of plan.steps) if (step.kind === 'split-links') await engine.splitLinks(step);
  return null;
};

/** What is kept for them now: the price of the pause. */
const seen = async (host: Host, selected: Selected, asked: readonly Asked[]): Promise<PausedLink[]> => {
  const { Looker } = await import('./look.ts');
  await using looker = new Looker(selected.dsns, host.clock, host.signal);
  const { regions } = selected.loaded.config;
  const looks = await Promise.all(
    selected.streams.map(async (stream) => ({
      stream,
      // A source that does not answer keeps nobody from being told that the wish is written down.
      source: await looker.source(stream.source).catch(() => null),
      target: await looker.target(stream.target),
      errors: [],
      retention: retentionRule(regions[stream.source.region]),
    })),
  );
  const statuses = new Map(linkStatuses(looks, selected.ids).map((status) => [status.link, status]));
  return asked.map(({ link, state, changed }) => {
    const status = statuses.get(link);
    return { link, state, changed, retained: status?.retained ?? null, slot: status?.slot?.name ?? null };
  });
};
