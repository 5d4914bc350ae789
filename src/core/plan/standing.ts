/**
 * Where each link of a stream stands: what the target's rows say of it, held against what the configuration names and
 * what this run was asked for. Everything a plan does follows from this sorting.
 */

import { slotName, type Link, type LinkId } from '../topology/link.ts';
import { mayStart, type Judgement } from '../validation/positions/judge.ts';
import { refuseGap } from '../validation/positions/refuse.ts';
import type { CheckpointRow, LinkRow, StreamFacts } from './facts.ts';
import type { PlanWish } from './wish.ts';
import type { Finding } from './plan.ts';
import { arrivals, staysFinding } from './arrivals.ts';
import { judgeSlot } from './judge-slot.ts';
import { isPaused, pausesOf, type Pause } from './pauses.ts';

export interface Standing {
  readonly checkpoint: CheckpointRow | null;
  /** Without a row in the target, and asked for: copied from the start. */
  readonly fresh: readonly Link[];
  /** On the stream's own slot: streaming, or copying where a first copy was cut short. */
  readonly carried: readonly LinkOnSlot[];
  /** On a side slot, still copying or catching up. */
  readonly joining: readonly LinkOnSlot[];
  /** On the stream's own slot, which lost changes: compared and mended under a new one. Only where that is asked for. */
  readonly mended: readonly LinkOnSlot[];
  /** In need of repair by themselves: mended on a side slot while the others stream on. Only where that is asked for. */
  readonly mendedAside: readonly LinkOnSlot[];
  /** Why the stream's own slot is mended; null where it is not. */
  readonly gap: Judgement | null;
  /** Held by an error, on a slot that still has all that came since: tried again, apart from the others. */
  readonly errored: readonly LinkOnSlot[];
  /** Paused or to be, in need of repair, or on a slot that is lost: nothing is carried for them. */
  readonly held: readonly LinkOnSlot[];
  /** On another stream, from which they come over. */
  readonly arriving: readonly LinkOnSlot[];
  /** To be taken off their slots first, because they are to stand still. */
  readonly pauses: readonly Pause[];
  /** To be taken off the stream. */
  readonly leaving: readonly LinkId[];
  readonly findings: readonly Finding[];
}

export interface LinkOnSlot {
  readonly link: Link;
  readonly row: LinkRow;
}

/** @throws XcError XC-5001 when changes after the checkpoint can no longer be read, XC-5206 for another source */
export const standingOf = (
  facts: StreamFacts,
  { selected, repair = false, move = false }: Pick<PlanWish, 'selected' | 'repair' | 'move'>,
): Standing => {
  const { stream, target } = facts;
  const own = slotName(stream.key);
  const rows = target.links.filter((row) => row.stream === stream.key);
  const checkpoint = target.checkpoints.find((row) => row.slot === own) ?? null;
  const configured = new Map(stream.links.map((link) => [link.id, link]));
  const carried: LinkOnSlot[] = [];
  const joining: LinkOnSlot[] = [];
  const errored: LinkOnSlot[] = [];
  const held: LinkOnSlot[] = [];
  const broken: LinkOnSlot[] = [];
  const leaving: LinkId[] = [];
  const findings: Finding[] = [];
  for (const row of rows) {
    const link = configured.get(row.link);
    if (row.state === 'stopping' && row.takenOff) {
      if (link) findings.push(stopped(row));
      continue;
    }
    if (!link || row.state === 'stopping' || row.state === 'dropping') leaving.push(row.link);
    else if (row.state === 'needs-repair' && repair && selected.has(row.link)) broken.push({ link, row });
    else if (
      row.slot !== own &&
      row.state !== 'needs-repair' &&
      !mayStart(judgeSlot(facts, row.slot, true))
    ) {
      if (repair && selected.has(row.link)) broken.push({ link, row });
      else {
        held.push({ link, row });
        findings.push(lostSideSlot(row, judgeSlot(facts, row.slot, true)));
      }
    } else if (isPaused(row)) {
      held.push({ link, row });
      findings.push(pausedFinding(row));
    } else if (row.state === 'errored' && row.slot !== own) {
      errored.push({ link, row });
      findings.push(triedAgain(row));
    } else if (row.state === 'errored' || row.state === 'needs-repair') {
      held.push({ link, row });
      findings.push(heldFinding(row));
    } else if (row.slot === own) carried.push({ link, row });
    else joining.push({ link, row });
  }
  const judgement =
    checkpoint || rows.some((row) => row.slot === own && !row.takenOff)
      ? judgeSlot(
          facts,
          own,
          carried.length + joining.length + errored.length > 0 || held.some(({ row }) => isPaused(row)),
        )
      : null;
  const gap = judgement && !mayStart(judgement) ? judgement : null;
  if (gap && !repair) refuseGap(own, facts.source.region, gap);
  const elsewhere = target.elsewhere ?? [];
  const movable = move && !repair ? arrivals(target) : [];
  const arriving = movable.flatMap((row) => ({ link: configured.get(row.link)!, row }));
  findings.push(...elsewhere.filter((row) => !movable.includes(row)).map((row) => staysFinding(row, move)));
  const known = new Set([...rows, ...elsewhere].map((row) => row.link));
  const fresh = repair ? [] : stream.links.filter((link) => selected.has(link.id) && !known.has(link.id));
  const staying = [...carried, ...joining, ...errored, ...held].map(({ row }) => row);
  const whole = staying.filter(({ slot }) => slot === own || mayStart(judgeSlot(facts, slot, true)));
  const pauses = gap ? [] : pausesOf(whole, own);
  const common = {
    checkpoint,
    arriving,
    fresh,
    joining,
    errored,
    pauses,
    leaving: leaving.toSorted(),
    findings,
    gap,
  };
  if (!gap) return { ...common, carried, held, mended: [], mendedAside: broken };
  // What was on the slot that is replaced has no other place to go on from, whatever held it.
  const onOwn = held.filter(({ row }) => row.slot === own);
  return {
    ...common,
    carried: [],
    held: held.filter(({ row }) => row.slot !== own),
    mended: [...carried, ...onOwn, ...broken],
    mendedAside: [],
  };
};

export const stopped = (row: LinkRow): Finding => ({
  check: 'link-state',
  subject: row.link,
  verdict: 'unknown',
  severity: 'info',
  seen: 'stopped: its changes are not carried, and rows that it copied stay as they were',
  remedy: `xcrepl replication drop --link ${row.link} makes the next run copy it again`,
  code: 'XC-5004',
});

const pausedFinding = (row: LinkRow): Finding => ({
  check: 'link-state',
  subject: row.link,
  verdict: 'unknown',
  severity: 'info',
  seen:
    row.state === 'pausing'
      ? 'to be paused: it is put on a slot of its own, which keeps what comes after'
      : 'paused: its slot keeps what comes after',
  remedy: `xcrepl replication resume --link ${row.link}`,
  code: 'XC-5004',
});

const triedAgain = (row: LinkRow): Finding => ({
  check: 'link-state',
  subject: row.link,
  verdict: 'unknown',
  severity: 'info',
  seen: `errored${typeof row.detail.why === 'string' ? `: ${row.detail.why}` : ''}; it is tried again from where it stands`,
  code: 'XC-5004',
});

/** Reads again only what differs (docs/decisions/0014). */
const REPAIR = 'xcrepl replication doctor --plan repair.json, then xcrepl replication run --plan repair.json';

export const heldFinding = (row: LinkRow): Finding => ({
  check: 'link-state',
  subject: row.link,
  verdict: 'fail',
  severity: 'warn',
  seen: typeof row.detail.why === 'string' ? `${row.state}: ${row.detail.why}` : row.state,
  remedy:
    row.state === 'needs-repair'
      ? REPAIR
      : `xcrepl replication drop --link ${row.link} makes the next run copy it again`,
  code: 'XC-5004',
});

const lostSideSlot = (row: LinkRow, { why }: Judgement): Finding => ({
  check: 'link-slot',
  subject: row.link,
  verdict: 'fail',
  severity: 'warn',
  seen: `its slot ${row.slot} cannot go on while the link was ${row.state}: ${why}`,
  remedy: REPAIR,
  code: 'XC-5001',
});
