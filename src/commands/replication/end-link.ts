/**
 * Ends a link. The wish is written into the target, where a run that follows sees it; when no run holds the stream, it is
 * carried out here, under the stream's lock.
 */

import type { Client } from 'pg';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import { makePlan } from '../../core/plan/make-plan.ts';
import type { Removal } from '../../core/plan/removal.ts';
import type { StreamEngine } from '../../core/replication/engine.ts';
import { slotName, type Link, type Stream } from '../../core/topology/link.ts';
import { connect, disconnect } from '../../providers/postgres/connect.ts';
import { askForEnd, readLink, type LinkStateRow } from '../../providers/postgres/target-state.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { admitRemoval, writeRemoval } from '../policy/admit-removal.ts';
import type { RemovalOptions } from '../policy/removal-options.ts';
import { confirmRegion } from './confirm.ts';
import { gather, newId } from './planning.ts';
import { policyContext } from './policy-context.ts';
import { openQuietEngine } from './quiet-engine.ts';
import { findLink, selectLinks, type Selected } from './selection.ts';

export type Ending = 'stopping' | 'dropping';

export interface EndOptions extends RemovalOptions {
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
    const row = await readLink(client, link.id, link.target);
    const removal = removalOf(link, row, wanted);
    if (options.out !== undefined) return await writeRemoval(host, removal, options.out);
    if (host.flags.dryRun) return preview(row, link, wanted);
    await confirmRegion(host, link.target, options.confirm, action);
    const admitted = await admitRemoval(host, removal, options);
    const ended = await end(host, { link, stream, selected: all, client, wanted });
    if (ended.changed)
      await host.audit.append({
        action: wanted === 'stopping' ? 'replication.stop' : 'replication.drop',
        subject: link.id,
        tenant: link.tenant,
        facts: { state: ended.state, removed: ended.removed.join(', '), ...admitted },
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
  const before = (await readLink(client, link.id, link.target))?.slot ?? null;
  const asked = await askForEnd(client, link.id, wanted, link.target);
  if (!asked) return { changed: false, state: 'absent', removed: [] };
  if (wanted === 'stopping' && asked.takenOff) return { changed: false, state: 'stopped', removed: [] };
  const run = await newId(host, 'rn');
  await using engine = openQuietEngine(host, parts.selected, parts.stream, run);
  try {
    await engine.acquire();
  } catch (error) {
    if (!isXcError(error, 'XC-7002')) throw error;
    host.narrator.info(`left to the run that holds the stream: ${error.why ?? error.message}`);
    return await awaitRunner(host, parts, before === slotName(parts.stream.key) ? null : before);
  }
  if (wanted === 'stopping') {
    return { changed: true, state: 'stopped', removed: await takeOff(host, parts, engine, run) };
  }
  const removed = await engine.dropLink(link.id);
  const last = removed.some((what) => what.startsWith('publication '));
  const more = last ? [] : await takeOff(host, parts, engine, run);
  return { changed: true, state: 'dropped', removed: [...removed, ...more] };
};

/** The publication no longer names the tenant, and a stopped link's row keeps the mark that it was stopped. */
const takeOff = async (
  host: Host,
  { selected, stream }: EndParts,
  engine: StreamEngine,
  run: string,
): Promise<string[]> => {
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
  const removed: string[] = [];
  for (const step of plan.steps) {
    if (step.kind === 'publish-tables') await engine.publishTables(step);
    if (step.kind === 'remove-links') removed.push(...(await engine.removeLinks(step)).removed);
  }
  return removed;
};

/** @param slot that the link was on when its end was asked for; null for the stream's own */
const awaitRunner = async (host: Host, parts: EndParts, slot: string | null): Promise<Ended> => {
  const { client, link, wanted } = parts;
  const deadline = host.clock.nowMs() + (host.flags.timeoutMs ?? WAIT_MS);
  for (;;) {
    const row = await readLink(client, link.id, link.target);
    const gone = !row || (wanted === 'stopping' && row.takenOff) ? await goneSlot(host, parts, slot) : null;
    if (!row && gone) return { changed: true, state: 'dropped', removed: [`link ${link.id}`, ...gone] };
    if (gone) return { changed: true, state: 'stopped', removed: gone };
    if (host.clock.nowMs() >= deadline)
      throw new XcError('XC-7001', {
        subject: link.id,
        why: `its state is ${row?.state ?? 'dropped'}; the run that holds the stream has not taken it off yet`,
        next: 'xcrepl replication status shows when it has',
      });
    await host.clock.sleep(POLL_MS, host.signal);
  }
};

/** @returns null while the run still has the link's own slot to drop */
const goneSlot = async (
  host: Host,
  { selected, stream }: EndParts,
  slot: string | null,
): Promise<string[] | null> => {
  if (slot === null) return [];
  const { region, database } = stream.source;
  const client = await connect(selected.dsns.get(region) ?? '', {
    subject: region,
    database,
    readOnly: true,
    signal: host.signal,
  });
  try {
    const { rowCount } = await client.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [slot]);
    return rowCount === 0 ? [`slot ${slot} on ${region}`] : null;
  } finally {
    await disconnect(client);
  }
};

const isEnded = (row: LinkStateRow | null, wanted: Ending): boolean =>
  !row || (wanted === 'stopping' && row.takenOff);

const removalOf = (link: Link, row: LinkStateRow | null, wanted: Ending): Removal => ({
  action: wanted === 'stopping' ? 'replication stop' : 'replication drop',
  subject: link.id,
  region: link.target,
  destroys: isEnded(row, wanted)
    ? []
    : [
        wanted === 'stopping'
          ? `ends what is kept for ${link.id}: it begins anew, with a copy`
          : `forgets ${link.id}: its position and counts, and with the last link of a stream its slot`,
      ],
  rests: { since: row?.since ?? null },
});

const preview = (row: LinkStateRow | null, link: Link, wanted: Ending): Outcome => {
  const would = isEnded(row, wanted) ? 'nothing' : wanted === 'stopping' ? 'stop' : 'drop';
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
