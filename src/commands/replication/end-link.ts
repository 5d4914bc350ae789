/**
 * Ends a link. The wish is written into the target, where a run that follows sees it; when no run holds the stream, it is
 * carried out here, under the stream's lock.
 */

import { hostname } from 'node:os';
import type { Client } from 'pg';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import { makePlan } from '../../core/plan/make-plan.ts';
import type { StreamEngine } from '../../core/replication/engine.ts';
import type { Link, Stream } from '../../core/topology/link.ts';
import { connect, disconnect } from '../../providers/postgres/connect.ts';
import { openStreamEngine } from '../../providers/registry.ts';
import { askForEnd, readLink } from '../../providers/postgres/target-state.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { confirmRegion } from './confirm.ts';
import { gather, newId } from './planning.ts';
import { policyContext } from './policy-context.ts';
import { findLink, selectLinks, type Selected } from './selection.ts';

export type Ending = 'stopping' | 'dropping';

export interface EndOptions {
  readonly link: string;
  readonly confirm?: string | undefined;
}

interface Ended {
  readonly changed: boolean;
  readonly state: 'stopped' | 'stopping' | 'dropped' | 'absent';
  readonly removed: readonly string[];
}

/** How often to look whether the run that follows has done it, and how long to wait without --timeout. */
const POLL_MS = 500;
const WAIT_MS = 60_000;

export const endLink = async (host: Host, wanted: Ending, options: EndOptions): Promise<Outcome> => {
  const loaded = await host.config();
  const link = findLink(loaded, options.link);
  const all = await selectLinks(host, loaded, { from: link.source, to: link.target });
  const stream = all.streams.find((each) => each.links.some(({ id }) => id === link.id))!;
  const action = `${wanted === 'stopping' ? 'stop' : 'drop'} ${link.id}`;
  const client = await connect(all.dsns.get(link.target) ?? '', {
    subject: link.target,
    database: stream.target.database,
    signal: host.signal,
  });
  try {
    if (host.flags.dryRun) return await preview(client, link, wanted);
    await confirmRegion(host, link.target, options.confirm, action);
    const ended = await end(host, { link, stream, selected: all, client, wanted });
    if (ended.changed)
      await host.audit.append({
        action: wanted === 'stopping' ? 'replication.stop' : 'replication.drop',
        subject: link.id,
        tenant: link.tenant,
        facts: { state: ended.state, removed: ended.removed.join(', ') },
      });
    return outcome(link, ended, wanted);
  } finally {
    await disconnect(client);
  }
};

interface EndParts {
  readonly link: Link;
  readonly stream: Stream;
  readonly selected: Selected;
  readonly client: Client;
  readonly wanted: Ending;
}

const end = async (host: Host, parts: EndParts): Promise<Ended> => {
  const { client, link, wanted } = parts;
  const asked = await askForEnd(client, link.id, wanted, link.target);
  if (!asked) return { changed: false, state: 'absent', removed: [] };
  if (wanted === 'stopping' && asked.takenOff) return { changed: false, state: 'stopped', removed: [] };
  const run = await newId(host, 'rn');
  await using engine = openStreamEngine({
    stream: parts.stream,
    controlPlane: parts.selected.loaded.config.controlPlane,
    dsn: {
      source: parts.selected.dsns.get(parts.stream.source.region)!,
      target: parts.selected.dsns.get(parts.stream.target.region)!,
    },
    hashKeys: new Map(),
    run,
    host: hostname(),
    pid: process.pid,
    clock: host.clock,
    random: host.random,
    progress: SILENT,
    existing: 'refuse',
    lockTimeoutMs: host.flags.lockTimeoutMs ?? 0,
    copyWorkers: 1,
    signal: host.signal,
  });
  try {
    await engine.acquire();
  } catch (error) {
    if (!isXcError(error, 'XC-7002')) throw error;
    host.narrator.info(`left to the run that holds the stream: ${error.why ?? error.message}`);
    return await awaitRunner(host, parts);
  }
  if (wanted === 'stopping') {
    await takeOff(host, parts, engine, run);
    return { changed: true, state: 'stopped', removed: [] };
  }
  const removed = await engine.dropLink(link.id);
  if (!removed.some((what) => what.startsWith('publication '))) await takeOff(host, parts, engine, run);
  return { changed: true, state: 'dropped', removed };
};

const SILENT = {
  copied: () => undefined,
  streamed: () => undefined,
  applied: () => undefined,
  retained: () => undefined,
  note: () => undefined,
};

/** The publication no longer names the tenant, and a stopped link's row keeps the mark that it was stopped. */
const takeOff = async (
  host: Host,
  { selected, stream }: EndParts,
  engine: StreamEngine,
  run: string,
): Promise<void> => {
  const facts = await gather(host, { ...selected, ids: new Set() }, [stream]);
  const { loaded } = selected;
  const plan = makePlan(
    facts,
    {
      selected: new Set(),
      hashKeys: Object.keys(loaded.config.hashKeys),
      config: loaded.digest,
      mode: loaded.mode,
      policy: policyContext(loaded),
    },
    { id: run, nowMs: host.clock.nowMs() },
  );
  for (const step of plan.steps) {
    if (step.kind === 'publish-tables') await engine.publishTables(step);
    if (step.kind === 'remove-links') await engine.removeLinks(step);
  }
};

const awaitRunner = async (host: Host, { client, link, wanted }: EndParts): Promise<Ended> => {
  const deadline = host.clock.nowMs() + (host.flags.timeoutMs ?? WAIT_MS);
  for (;;) {
    const row = await readLink(client, link.id, link.target);
    if (!row) return { changed: true, state: 'dropped', removed: [`link ${link.id}`] };
    if (wanted === 'stopping' && row.takenOff) return { changed: true, state: 'stopped', removed: [] };
    if (host.clock.nowMs() >= deadline)
      throw new XcError('XC-7001', {
        subject: link.id,
        why: `its state is ${row.state}; the run that holds the stream has not taken it off yet`,
        next: 'xcrepl replication status shows when it has',
      });
    await host.clock.sleep(POLL_MS, host.signal);
  }
};

const preview = async (client: Client, link: Link, wanted: Ending): Promise<Outcome> => {
  const row = await readLink(client, link.id, link.target);
  const would =
    !row || (wanted === 'stopping' && row.takenOff) ? 'nothing' : wanted === 'stopping' ? 'stop' : 'drop';
  return {
    document: { schemaVersion: 1, dryRun: true, link: link.id, state: row?.state ?? 'absent', would },
    table: () => `${link.id}: ${row?.state ?? 'not known to the target'}; would do: ${would}`,
  };
};

const outcome = (link: Link, { changed, state, removed }: Ended, wanted: Ending): Outcome => {
  const kept = 'rows on the target stay as they are';
  const again =
    wanted === 'dropping' ? 'the configuration names the link: the next run copies it again' : null;
  return {
    document: {
      schemaVersion: 1,
      link: link.id,
      changed,
      state,
      removed,
      kept,
      ...(again ? { note: again } : {}),
    },
    table: () =>
      [
        changed ? `${link.id}: ${state}` : `no change: ${link.id} is ${state}`,
        ...removed.map((what) => `removed ${what}`),
        kept,
        ...(again ? [again] : []),
      ].join('\n'),
  };
};
