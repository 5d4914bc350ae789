/** What the doctor says of links: their slots' positions, judged, and what to do. Pure: one look at both servers. */

import { formatLsn, type Lsn } from '../change/lsn.ts';
import type { LinkState } from '../plan/facts.ts';
import {
  publicationNames,
  slotName,
  streamOfSlot,
  type Link,
  type LinkId,
  type Stream,
} from '../topology/link.ts';
import { judgePositions, type Judgement } from '../validation/positions/judge.ts';
import type { Positions, SlotSeen, SourceIdentity } from '../validation/positions/positions.ts';

export interface DoctorLook {
  readonly stream: Stream;
  readonly source: {
    readonly identity: SourceIdentity;
    readonly slots: ReadonlyMap<string, SlotSeen>;
    readonly publications: ReadonlySet<string>;
  } | null;
  readonly target: DoctorTarget | null;
  /** Why a server could not be asked. */
  readonly errors: readonly string[];
}

export interface DoctorTarget {
  readonly known: Positions['known'];
  readonly links: ReadonlyMap<LinkId, DoctorRow>;
  readonly checkpoints: ReadonlyMap<string, Lsn>;
  readonly origins: ReadonlyMap<string, Lsn>;
}

export interface DoctorRow {
  readonly slot: string;
  readonly state: LinkState;
  readonly takenOff: boolean;
  readonly why: string | null;
}

export interface Diagnosis {
  readonly link: LinkId;
  readonly stream: string;
  readonly slot: string;
  readonly state: LinkState | 'never-run' | 'stopped' | 'unknown';
  /** `none`: nothing is to be carried; else as in Judgement. */
  readonly verdict: Judgement['verdict'] | 'none';
  readonly reason: string;
  readonly why: string;
  /** What is missing, or doubled: after `from`, up to `to`; null is not known. */
  readonly range: {
    readonly from: string | null;
    readonly to: string | null;
    readonly bytes: number | null;
  } | null;
  readonly positions: {
    readonly checkpoint: string | null;
    readonly origin: string | null;
    readonly confirmedFlush: string | null;
    readonly restart: string | null;
    readonly source: string | null;
  };
  readonly walStatus: string | null;
  /** What may turn this into a gap soon; null where nothing is seen. */
  readonly risk: string | null;
}

export const diagnose = (looks: readonly DoctorLook[], only: ReadonlySet<LinkId>): Diagnosis[] =>
  looks
    .flatMap((look) =>
      look.stream.links.filter((link) => only.has(link.id)).map((link) => diagnoseLink(link, look)),
    )
    .toSorted((a, b) => (a.link < b.link ? -1 : 1));

const text = (lsn: Lsn | null | undefined): string | null => (lsn ? formatLsn(lsn) : null);

const diagnoseLink = (link: Link, look: DoctorLook): Diagnosis => {
  const { stream, source, target } = look;
  const row = target?.links.get(link.id);
  const slot = row?.slot ?? slotName(stream.key);
  const found = judgeLink(slot, row, look);
  const seen = source?.slots.get(slot);
  const { from = null, to = null } = found;
  return {
    link: link.id,
    stream: stream.key,
    slot,
    state: found.state,
    verdict: found.verdict,
    reason: found.reason,
    why: found.why,
    range:
      from === null && to === null
        ? null
        : {
            from: text(from),
            to: text(to),
            bytes: from === null || to === null ? null : Math.max(0, Number(to - from)),
          },
    positions: {
      checkpoint: text(target?.checkpoints.get(slot)),
      origin: text(target?.origins.get(slot)),
      confirmedFlush: text(seen?.confirmedFlush),
      restart: text(seen?.restart),
      source: text(source?.identity.currentLsn),
    },
    walStatus: seen?.walStatus ?? null,
    risk: found.verdict === 'gap' ? null : riskOf(seen),
  };
};

interface Found {
  readonly state: Diagnosis['state'];
  readonly verdict: Diagnosis['verdict'];
  readonly reason: string;
  readonly why: string;
  readonly from?: Lsn | null;
  readonly to?: Lsn | null;
}

const judgeLink = (slot: string, row: DoctorRow | undefined, look: DoctorLook): Found => {
  const { stream, source, target } = look;
  if (!target || !source)
    return {
      state: row?.state ?? 'unknown',
      verdict: 'unknown',
      reason: 'not-seen',
      why: look.errors.join('; '),
    };
  if (!row) return { state: 'never-run', verdict: 'none', reason: 'never-run', why: 'it was never run' };
  if (row.state === 'stopping' && row.takenOff)
    return {
      state: 'stopped',
      verdict: 'none',
      reason: 'stopped',
      why: 'it was stopped: changes since are not kept, and it is copied anew after a drop',
    };
  const judgement = judgePositions({
    slot,
    source: source.identity,
    known: target.known,
    checkpoint: target.checkpoints.get(slot) ?? null,
    origin: target.origins.get(slot) ?? null,
    seen: source.slots.get(slot) ?? null,
    published: publicationNames(streamOfSlot(slot, stream.key)).some((name) => source.publications.has(name)),
  });
  const { state } = row;
  if (state !== 'needs-repair') return { state, ...judgement };
  const why = row.why ?? judgement.why;
  return { state, ...judgement, verdict: 'gap', reason: 'needs-repair', why };
};

/** wal_status (PostgreSQL documentation, 53.20): unreserved log goes at the next checkpoint of the source. */
const riskOf = (seen: SlotSeen | undefined): string | null =>
  seen?.walStatus === 'unreserved'
    ? 'wal_status is unreserved: the next checkpoint of the source may take the log that is still needed; run now'
    : null;
