/**
 * The steps of a stream that a change log brings. There is nothing to publish and no snapshot to hold: the log's rows and
 * changes are one sequence, and the target's checkpoint says how far of it is there. Links that share a stream begin
 * together; nothing is compared, because a log holds changes and no state.
 */

import { formatLsn, type Lsn } from '../change/lsn.ts';
import { XcError } from '../errors/xc-error.ts';
import { slotName, type Link, type LinkId } from '../topology/link.ts';
import { checkReplayedTables } from '../validation/checks/tables.ts';
import type { LogFacts, StreamFacts } from './facts.ts';
import type { PlanWish } from './wish.ts';
import type { Finding } from './plan.ts';
import type { StreamPlan } from './stream-plan.ts';
import type { Carried } from './publication.ts';
import { refuseColumnRules, refuseUnavailable } from './refusals.ts';
import { tablesOf } from './scope.ts';
import { targetFindings } from './server-findings.ts';
import { isPaused } from './pauses.ts';
import { heldFinding, stopped } from './standing.ts';
import { StepList } from './step-list.ts';

/** @throws XcError XC-5032, XC-5033, XC-5035, XC-5038 */
export const planReplay = (facts: StreamFacts, log: LogFacts, wish: PlanWish): StreamPlan => {
  const { stream, source, target } = facts;
  const own = slotName(stream.key);
  const checkpoint = target.checkpoints.find((row) => row.slot === own) ?? null;
  const { fresh, carried, leaving, findings } = standing(facts, wish);
  const links = [...fresh, ...carried];
  const tables: Carried = new Map(links.map((link) => [link, tablesOf(link, source.catalogue)]));
  refuseUnavailable(links);
  refuseOther(links, log);
  refuseColumnRules(tables, source.catalogue, wish.hashKeys);
  refuseWindows(wish);
  if (checkpoint) refuseOtherLog(facts, checkpoint.position);
  else if (log.oldest > log.begin)
    throw new XcError('XC-5032', {
      subject: stream.source.region,
      why: `its first file is gone: the log begins at ${formatLsn(log.oldest)}`,
    });
  if (checkpoint && fresh.length > 0)
    throw new XcError('XC-5038', { subject: fresh.map(({ id }) => id).join(', ') });
  const steps = new StepList(stream.key);
  const taken = leaving.length > 0 ? [steps.add({ kind: 'remove-links', links: leaving }, [])] : [];
  const ids = fresh.map(({ id }) => id);
  const begun =
    fresh.length > 0
      ? [steps.add({ kind: 'create-slot', slot: own, links: ids, failover: false }, taken)]
      : taken;
  if (links.length > 0)
    steps.add({ kind: 'stream-changes', slot: own, until: 'source-position-at-start' }, begun);
  return {
    steps: steps.list,
    carried: tables,
    findings: [
      ...findings,
      ...(links.length > 0 ? logFindings(stream.source.region, log) : []),
      ...targetFindings(facts, tables),
      ...checkReplayedTables({ links, source: source.catalogue, target: target.catalogue }),
    ],
  };
};

interface ReplayStanding {
  readonly fresh: readonly Link[];
  readonly carried: readonly Link[];
  readonly leaving: readonly LinkId[];
  readonly findings: readonly Finding[];
}

const standing = ({ stream, target }: StreamFacts, { selected }: PlanWish): ReplayStanding => {
  const configured = new Map(stream.links.map((link) => [link.id, link]));
  const rows = target.links.filter((row) => row.stream === stream.key);
  const known = new Set(rows.map((row) => row.link));
  const carried: Link[] = [];
  const leaving: LinkId[] = [];
  const findings: Finding[] = [];
  for (const row of rows) {
    const link = configured.get(row.link);
    if (row.state === 'stopping' && row.takenOff) {
      if (link) findings.push(stopped(row));
    } else if (!link || row.state === 'stopping' || row.state === 'dropping') leaving.push(row.link);
    else if (isPaused(row) || row.state === 'errored' || row.state === 'needs-repair')
      findings.push(heldFinding(row));
    else carried.push(link);
  }
  const fresh = stream.links.filter((link) => selected.has(link.id) && !known.has(link.id));
  return { fresh, carried, leaving: leaving.toSorted(), findings };
};

/** A log has one tenant, and its rows are never taken for another's. */
const refuseOther = (links: readonly Link[], log: LogFacts): void => {
  for (const link of links) {
    const why = ((): string | null => {
      if (link.tenant !== log.tenant) return `it holds rows of tenant ${log.tenant}`;
      if (JSON.stringify(sorted(link.scope)) !== JSON.stringify(sorted(log.scope)))
        return `tenant ${link.tenant} was scoped otherwise when it was recorded`;
      return null;
    })();
    if (why !== null)
      throw new XcError('XC-5035', { subject: `${link.id} from the log of ${log.link}`, why });
  }
};

const sorted = (scope: object): [string, unknown][] =>
  Object.entries(scope).toSorted(([a], [b]) => (a < b ? -1 : 1));

const refuseOtherLog = ({ stream, source, target }: StreamFacts, checkpoint: Lsn): void => {
  const why = ((): string | null => {
    if (target.knownSource !== null && target.knownSource !== source.systemIdentifier)
      return `the checkpoint belongs to log ${target.knownSource}, this is log ${source.systemIdentifier}`;
    if (source.currentLsn < checkpoint)
      return `the checkpoint is ${formatLsn(checkpoint)}, and the log ends at ${formatLsn(source.currentLsn)}`;
    return null;
  })();
  if (why !== null) throw new XcError('XC-5033', { subject: stream.source.region, why });
};

/** A part of a log cannot be asked for: what it holds is decided when it is recorded. */
const refuseWindows = ({ window, tables }: PlanWish): void => {
  if (!window && !tables) return;
  throw new XcError('XC-1007', {
    subject: window ? '--window' : '--tables',
    why: 'a change log is replayed whole; name the tables in the rule',
    next: 'leave the option out',
  });
};

const logFindings = (region: string, log: LogFacts): Finding[] => {
  const finding = (check: string, severity: 'info' | 'warn', seen: string): Finding => ({
    check,
    region,
    subject: region,
    verdict: 'unknown',
    severity,
    seen,
  });
  return [
    finding('replay-verify', 'info', 'a change log has no state to compare with: nothing is verified'),
    ...(log.copy
      ? []
      : [
          finding(
            'replay-copy',
            'warn',
            `the log begins at ${formatLsn(log.start)} without a copy: the target has to hold the rows of then`,
          ),
        ]),
    ...(log.awaited === null
      ? []
      : [
          finding(
            'replay-files',
            'warn',
            `its last seal names ${log.awaited}, which is not there: the recording is between two files, or the file was taken away`,
          ),
        ]),
  ];
};
