/**
 * Facts → plan, pure. A plan holds only what is missing: made from the facts of an interrupted copy it copies the rest,
 * made from those of a running stream it streams and verifies.
 */

import type { PlanWish } from './wish.ts';
import { XcError } from '../errors/xc-error.ts';
import { isoTime } from '../time/clock.ts';
import type { LinkId, StreamKey } from '../topology/link.ts';
import { arrivals } from './arrivals.ts';
import { basisOf, FIRST_EPOCH, groundOf, planDigest } from './basis.ts';
import { estimateOf } from './estimate.ts';
import type { ReplicationFacts } from './facts.ts';
import { gateTable } from './gates.ts';
import { compareFindings, isBlocking } from '../validation/finding.ts';
import type { Finding, Plan, Step } from './plan.ts';
import { planStream } from './plan-stream.ts';
import type { StreamPlan } from './stream-plan.ts';

/** Long enough for a review, short enough that sizes and versions are still those that were reviewed. */
export const PLAN_LIFE_MS = 24 * 3_600_000;

/**
 * @throws XcError XC-1007 for what this version cannot run, XC-2001 to XC-2005 and XC-2010 to XC-2015 for what must not run,
 * XC-5001 and XC-5206 where changes after the checkpoint cannot be read
 */
export const makePlan = (
  facts: ReplicationFacts,
  wish: PlanWish,
  { id, nowMs }: { readonly id: string; readonly nowMs: number },
): Plan => {
  const parts = facts.streams
    .toSorted((a, b) => (a.stream.key < b.stream.key ? -1 : 1))
    .map((stream) => ({
      stream,
      part: planStream(stream, wish, id, leavingTo(facts, wish, stream.stream.key)),
    }));
  const findings = [...(wish.findings ?? []), ...parts.flatMap(({ part }) => part.findings)].toSorted(
    compareFindings,
  );
  refuseFindings(findings, wish.strict ?? false);
  const databases = new Map(
    facts.streams.flatMap(({ stream }) =>
      stream.links.map((link) => [link.id, stream.source.database] as const),
    ),
  );
  const plan = {
    schemaVersion: 1 as const,
    id,
    kind: 'replicate' as const,
    createdAt: isoTime(nowMs),
    expiresAt: isoTime(nowMs + PLAN_LIFE_MS),
    mode: wish.mode,
    basis: basisOf(facts),
    ground: groundOf(facts),
    config: wish.config,
    wish: {
      links: [...wish.selected].toSorted(),
      ...(wish.tables ? { tables: wish.tables } : {}),
      ...(wish.window ? { window: wish.window } : {}),
      ...(wish.chunkBytes === undefined ? {} : { chunkBytes: wish.chunkBytes }),
      ...(wish.repair ? { repair: true as const } : {}),
      ...(wish.existing ? { existing: wish.existing } : {}),
      strict: wish.strict ?? false,
    },
    epochs: Object.fromEntries(
      facts.streams.map(({ target }) => [target.region, target.epoch ?? FIRST_EPOCH] as const),
    ),
    steps: numbered(parts.map(({ part }) => part)),
    policy: gateTable(new Map(parts.flatMap(({ part }) => [...part.carried])), wish, {
      id,
      nowMs,
      findings,
      databaseOf: ({ id: link }) => databases.get(link) ?? '',
      used: usedToday(facts),
    }),
    estimate: estimateOf(
      parts.map(({ stream, part }) => ({
        steps: part.steps,
        walBytesPerSecond: stream.source.walBytesPerSecond,
      })),
    ),
    findings,
  };
  return { ...plan, digest: planDigest(plan) };
};

/** Undefined where the target was not asked. */
const usedToday =
  ({ streams }: ReplicationFacts) =>
  (tenant: string, source: string, target: string): number | undefined => {
    const counts = streams.flatMap(({ stream, target: { usedToday: used } }) =>
      used && stream.source.region === source && stream.target.region === target
        ? [used.get(JSON.stringify([tenant, source])) ?? 0]
        : [],
    );
    return counts.length === 0 ? undefined : counts.reduce((sum, one) => sum + one, 0);
  };

/** Step ids are unique in the plan: each stream's own numbering is shifted past those before it. */
const numbered = (parts: readonly StreamPlan[]): Step[] => {
  const steps: Step[] = [];
  for (const part of parts) {
    const offset = steps.length;
    const shift = (id: string): string => `s${Number(id.slice(1)) + offset}`;
    steps.push(
      ...part.steps.map((step) => ({ ...step, id: shift(step.id), dependsOn: step.dependsOn.map(shift) })),
    );
  }
  return steps;
};

/** Links of the stream that another one of this plan takes over. */
const leavingTo = (facts: ReplicationFacts, { move }: PlanWish, key: StreamKey): ReadonlySet<LinkId> =>
  new Set(
    move
      ? facts.streams.flatMap(({ target }) =>
          arrivals(target).flatMap((row) => (row.stream === key ? [row.link] : [])),
        )
      : [],
  );

const describeFinding = ({ subject, region, seen }: Finding): string =>
  `${subject}${region === undefined ? '' : ` (${region})`}: ${seen}`;

/** What is to be done, each once; under the name of its server where there is more than one. */
const remediesOf = (findings: readonly Finding[]): string => {
  const byRegion = Map.groupBy(
    findings.filter(({ remedy }) => remedy !== undefined),
    ({ region }) => region ?? '',
  );
  return [...byRegion]
    .flatMap(([region, those]) => [
      ...(byRegion.size > 1 ? [`-- ${region}`] : []),
      ...new Set(those.map(({ remedy }) => remedy!)),
    ])
    .join('\n');
};

const refuseFindings = (findings: readonly Finding[], strict: boolean): void => {
  const failed = findings.filter((finding) => finding.verdict !== 'pass');
  const blocking = failed.filter(isBlocking);
  const warned = strict ? failed.filter((finding) => finding.severity === 'warn') : [];
  const all = [...blocking, ...warned];
  if (all.length === 0) return;
  const next = remediesOf(all);
  throw new XcError(blocking.length > 0 ? 'XC-2014' : 'XC-2015', {
    subject: all.map((finding) => finding.subject).join(', '),
    why: all.map(describeFinding).join('\n'),
    ...(next === '' ? {} : { next }),
    facts: { findings: all },
  });
};
