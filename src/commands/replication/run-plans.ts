/** The plans of a run: the one that it begins with, and those that it makes while it follows. */

import { XcError } from '../../core/errors/xc-error.ts';
import { edgeOf } from '../../core/metrics/metrics.ts';
import { makePlan } from '../../core/plan/make-plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { type LiveStream } from '../../core/run/live-stream.ts';
import { planToRun } from '../../core/run/resume.ts';
import type { Link, Stream } from '../../core/topology/link.ts';
import { readMigrations } from '../../providers/postgres/migrations.ts';
import type { Host } from '../frame/host.ts';
import { rememberOnTargets } from './remember-manifests.ts';
import { type Follower } from './follow-configuration.ts';
import { gatherToPlan, newId, wishOf } from './planning.ts';
import type { RunParts } from './run-parts.ts';
import type { Selected } from './selection.ts';

export const planNow = async (host: Host, parts: RunParts, streams: readonly Stream[]): Promise<Plan> => {
  const { selected, reviewed, wish, metrics } = parts;
  const facts = await gatherToPlan(host, selected, streams);
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

const isBetween = (link: Link, { source, target }: Stream): boolean =>
  link.source === source.region && link.target === target.region;

/** The stream as the configuration has it now; where that has none any more, every link there is may stand on it. */
const placedNow = (stream: Stream, selected: Selected): Stream =>
  selected.streams.find((each) => each.key === stream.key) ?? {
    ...stream,
    links: [],
    others: selected.links.filter((link) => isBetween(link, stream)),
  };

/** What a run that has waited is to work on: its own streams, as the configuration is now. Links stay on their streams. */
export const refreshed = async (
  parts: RunParts,
  streams: readonly LiveStream[],
  follower: Follower,
): Promise<RunParts> => {
  const selected = await follower.refreshed();
  if (selected.loaded === parts.selected.loaded) return parts;
  for (const stream of streams) {
    const placed = placedNow(stream, selected);
    stream.update(placed.links, placed.others ?? []);
  }
  return { ...parts, selected, wish: { ...(await wishOf(selected, parts.options)), move: false } };
};

/** While following, a link of the same streams that the configuration begins to name joins by itself. */
export const replan = async (
  host: Host,
  parts: RunParts,
  streams: readonly LiveStream[],
  follower: Follower,
  stream: Stream,
  without: ReadonlySet<string>,
): Promise<Plan> => {
  const selected = await follower.selected();
  const placed = placedNow(stream, selected);
  streams.find((each) => each.key === stream.key)?.update(placed.links, placed.others ?? []);
  const ids = new Set([...selected.ids].filter((id) => !without.has(id)));
  const wish = { ...(await wishOf({ loaded: selected.loaded, ids }, parts.options)), move: false };
  const facts = await gatherToPlan(host, { ...selected, ids }, [placed]);
  const plan = makePlan(facts, wish, { id: await newId(host, 'pl'), nowMs: host.clock.nowMs() });
  parts.gates.refuseLater(plan);
  await rememberOnTargets(host, { ...selected, streams: [stream] });
  return plan;
};
