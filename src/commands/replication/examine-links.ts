/** Looks at the streams of the selected links, and shows what the doctor says of them. */

import { resolve } from 'node:path';
import { EXIT } from '../../core/errors/exit.ts';
import { logPath } from '../../core/changelog/log-address.ts';
import { isXcError, XcError } from '../../core/errors/xc-error.ts';
import { makePlan } from '../../core/plan/make-plan.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { REPAIR_DISCARDS } from '../../core/plan/destroys.ts';
import { diagnose, type Diagnosis, type DoctorLook } from '../../core/report/doctor.ts';
import { isoTime } from '../../core/time/clock.ts';
import type { Stream } from '../../core/topology/link.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import { doctorView } from './doctor-view.ts';
import { gather, newId, wishOf } from './planning.ts';
import { findLink, selectLinks, type Selected, type Selection } from './selection.ts';

export interface DoctorOptions extends Selection {
  readonly link?: string | undefined;
  /** Where to write a plan that mends the gaps. */
  readonly plan?: string | undefined;
}

export const examineLinks = async (host: Host, options: DoctorOptions): Promise<Outcome> => {
  const selected = await selectOne(host, options);
  const { examine } = await import('../../providers/postgres/examine.ts');
  const failures: XcError[] = [];
  // A change log has no slot to be examined: its checkpoint is judged whenever it is planned.
  const streams = selected.streams.filter(({ source }) => !logPath(selected.dsns.get(source.region) ?? ''));
  if (streams.length === 0)
    throw new XcError('XC-1304', {
      subject: 'doctor',
      why: 'the links come from change logs, which have no slots',
      next: 'xcrepl replication simulate says whether a replay can go on',
    });
  const looks = await Promise.all(
    streams.map((stream) =>
      examine(stream, selected.dsns, host.signal).catch((error: unknown): DoctorLook => {
        host.signal.throwIfAborted();
        if (!isXcError(error)) throw error;
        failures.push(error);
        return unseen(stream, error);
      }),
    ),
  );
  // A server that does not answer is part of the answer; when nothing was seen at all, that is the error.
  if (failures[0] && failures.length === looks.length) throw failures[0];
  const links = diagnose(looks, selected.ids);
  const gaps = links.filter((link) => link.verdict === 'gap');
  const plan =
    options.plan === undefined || gaps.length === 0 ? null : await planRepair(host, selected, gaps);
  if (plan) await writeDurably(resolve(host.cwd, options.plan!), `${JSON.stringify(plan, null, 2)}\n`);
  const next = gaps.length === 0 ? [] : nextOf(options.plan, plan);
  return {
    document: {
      schemaVersion: 1,
      at: isoTime(host.clock.nowMs()),
      links,
      plan: plan && { id: plan.id, file: options.plan, steps: plan.steps, findings: plan.findings },
      next,
    },
    records: links,
    exit: exitOf(links),
    table: (paint) => doctorView(links, plan, next, paint),
  };
};

/** One link by its name, or those that the selecting options leave. */
export const selectOne = async (host: Host, { link: name, ...options }: DoctorOptions): Promise<Selected> => {
  const loaded = await host.config();
  if (name === undefined) return await selectLinks(host, loaded, options);
  const link = findLink(loaded, name);
  const selected = await selectLinks(host, loaded, { from: link.source, to: link.target });
  return {
    ...selected,
    links: [link],
    ids: new Set([link.id]),
    streams: selected.streams.filter((stream) => stream.links.some(({ id }) => id === link.id)),
  };
};

const unseen = (stream: Stream, error: XcError): DoctorLook => ({
  stream,
  source: null,
  target: null,
  errors: [`${error.code} ${error.message}`],
});

const exitOf = (links: readonly Diagnosis[]): number => {
  if (links.some((link) => link.verdict === 'gap')) return EXIT.findings;
  return links.some((link) => link.verdict === 'unknown') ? EXIT.unknown : EXIT.done;
};

/** What makes the links whole again: the same that a run would do, but for what lost changes. */
const planRepair = async (host: Host, selected: Selected, gaps: readonly Diagnosis[]): Promise<Plan> => {
  const keys = new Set(gaps.map((gap) => gap.stream));
  const streams = selected.streams.filter((stream) => keys.has(stream.key));
  const ids = new Set(gaps.map((gap) => gap.link));
  const facts = await gather(host, { ...selected, ids: new Set() }, streams);
  const wish = { ...(await wishOf({ loaded: selected.loaded, ids }, {})), repair: true };
  return makePlan(facts, wish, { id: await newId(host, 'pl'), nowMs: host.clock.nowMs() });
};

const nextOf = (file: string | undefined, plan: Plan | null): readonly string[] => {
  if (!plan) return ['xcrepl replication doctor --plan repair.json'];
  const discards = plan.findings.find((finding) => finding.check === REPAIR_DISCARDS);
  return [`xcrepl replication run --plan ${file}${discards ? ` --confirm ${discards.region}` : ''}`];
};
