/** Status of links: the configuration's links joined with what one look at each server gave. Pure. */

import type { LinkState } from '../plan/facts.ts';
import type { Lsn } from '../change/lsn.ts';
import { formatLsn, parseLsn } from '../change/lsn.ts';
import { slotName, type Link, type Stream } from '../topology/link.ts';

export interface SourceLook {
  readonly currentLsn: Lsn;
  /** The source's clock: lag is measured against it, so that ours does not matter. */
  readonly nowMs: number;
  readonly slots: ReadonlyMap<string, SlotHealth>;
}

export interface SlotHealth {
  readonly walStatus: string | null;
  readonly active: boolean;
  /** Position up to which the source may forget. */
  readonly confirmedFlush: string | null;
  /** Log that the slot holds back, in bytes. */
  readonly retainedBytes: number | null;
  /** Bytes that may still be written before the slot is lost; null without a limit. */
  readonly safeWalBytes: number | null;
}

export interface TargetLook {
  readonly initialised: boolean;
  readonly links: ReadonlyMap<string, LinkLook>;
  readonly checkpoints: ReadonlyMap<string, { readonly position: Lsn; readonly caughtUpToMs: number | null }>;
  /** By stream key. */
  readonly runners: ReadonlyMap<string, Runner>;
}

export interface LinkLook {
  readonly slot: string;
  readonly state: LinkState;
  readonly why: string | null;
  readonly takenOff: boolean;
  readonly lastSuccessAt: string | null;
  readonly verifiedAt: string | null;
  readonly verdict: 'pass' | 'fail' | 'unknown' | null;
  readonly tables: readonly TableStatus[];
}

export interface TableStatus {
  readonly table: string;
  readonly copiedRows: number;
  readonly copiedBytes: number;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly bytes: number;
  readonly conflicts: number;
}

export interface Runner {
  readonly run: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
}

export interface LinkStatus {
  readonly link: string;
  readonly rule: string;
  readonly tenant: string;
  readonly tier: string;
  readonly source: string;
  readonly target: string;
  readonly stream: string;
  /** `never-run` when the target knows nothing of the link; `stopped` once a stopping link is off its stream. */
  readonly state: LinkState | 'never-run' | 'stopped' | 'unknown';
  readonly why: string | null;
  /** Null where it is not known: never run, or a server that could not be asked. */
  readonly lagMs: number | null;
  readonly lagBytes: number | null;
  readonly position: string | null;
  readonly slot:
    | (SlotHealth & {
        readonly name: string;
        readonly exists: boolean;
        /** It was moved past the checkpoint by somebody else: the changes between are lost to the link. */
        readonly ahead: boolean;
      })
    | null;
  /** Null where nobody drains the stream now. */
  readonly runner: Runner | null;
  readonly lastSuccessAt: string | null;
  readonly verifiedAt: string | null;
  readonly verdict: 'pass' | 'fail' | 'unknown' | null;
  readonly rows: {
    readonly copied: number;
    readonly inserts: number;
    readonly updates: number;
    readonly deletes: number;
  };
  readonly bytes: number;
  readonly conflicts: number;
  /** Nothing is quarantined in this version: null, which is not 0. */
  readonly quarantined: null;
  readonly slo: {
    readonly verdict: 'met' | 'missed' | 'unknown' | 'none';
    readonly objectiveMs: number | null;
  };
  readonly tables: readonly TableStatus[];
}

/** Null stands for a server that could not be asked. */
export interface StreamLook {
  readonly stream: Stream;
  readonly source: SourceLook | null;
  readonly target: TargetLook | null;
  /** Why a server could not be asked. */
  readonly errors: readonly string[];
}

export const linkStatuses = (looks: readonly StreamLook[], only: ReadonlySet<string>): LinkStatus[] =>
  looks
    .flatMap((look) =>
      look.stream.links.filter((link) => only.has(link.id)).map((link) => linkStatus(link, look)),
    )
    .toSorted((a, b) => (a.link < b.link ? -1 : 1));

const linkStatus = (link: Link, look: StreamLook): LinkStatus => {
  const { stream, source, target } = look;
  const row = target?.links.get(link.id);
  const slot = row?.slot ?? slotName(stream.key);
  const lag = row ? lagOf(slot, look) : { ms: null, bytes: null, position: null };
  const health = source?.slots.get(slot);
  const tables = row?.tables ?? [];
  const sum = (key: Exclude<keyof TableStatus, 'table'>): number =>
    tables.reduce((total, table) => total + table[key], 0);
  return {
    link: link.id,
    rule: link.rule.id,
    tenant: link.tenant,
    tier: link.rule.tier,
    source: link.source,
    target: link.target,
    stream: stream.key,
    state: stateOf(row, target),
    why: target ? (row?.why ?? null) : look.errors.join('; '),
    lagMs: lag.ms,
    lagBytes: lag.bytes,
    position: lag.position,
    slot:
      row && source
        ? { name: slot, exists: health !== undefined, ahead: isAhead(slot, look), ...(health ?? NO_SLOT) }
        : null,
    runner: health?.active ? (target?.runners.get(stream.key) ?? null) : null,
    lastSuccessAt: row?.lastSuccessAt ?? null,
    verifiedAt: row?.verifiedAt ?? null,
    verdict: row?.verdict ?? null,
    rows: {
      copied: sum('copiedRows'),
      inserts: sum('inserts'),
      updates: sum('updates'),
      deletes: sum('deletes'),
    },
    bytes: sum('copiedBytes') + sum('bytes'),
    conflicts: sum('conflicts'),
    quarantined: null,
    slo: objective(link.rule.lagObjective ?? null, lag.ms, row),
    tables,
  };
};

const NO_SLOT: SlotHealth = {
  walStatus: null,
  active: false,
  confirmedFlush: null,
  retainedBytes: null,
  safeWalBytes: null,
};

/** Of a slot that somebody drains both positions move between the two looks, so only one at rest can be judged. */
const isAhead = (slot: string, { source, target }: StreamLook): boolean => {
  const health = source?.slots.get(slot);
  const point = target?.checkpoints.get(slot);
  if (!health || health.active || health.confirmedFlush === null || !point) return false;
  return parseLsn(health.confirmedFlush) > point.position;
};

const stateOf = (row: LinkLook | undefined, target: TargetLook | null): LinkStatus['state'] => {
  if (!target) return 'unknown';
  if (!row) return 'never-run';
  return row.state === 'stopping' && row.takenOff ? 'stopped' : row.state;
};

/** How far the slot's checkpoint is behind what the source has written, in bytes of log and in time. */
const lagOf = (
  slot: string,
  { source, target }: StreamLook,
): { readonly ms: number | null; readonly bytes: number | null; readonly position: string | null } => {
  const point = target?.checkpoints.get(slot);
  if (!point) return { ms: null, bytes: null, position: null };
  const position = formatLsn(point.position);
  if (!source) return { ms: null, bytes: null, position };
  const bytes = source.currentLsn > point.position ? Number(source.currentLsn - point.position) : 0;
  if (bytes === 0) return { ms: 0, bytes, position };
  const ms = point.caughtUpToMs === null ? null : Math.max(0, Math.round(source.nowMs - point.caughtUpToMs));
  return { ms, bytes, position };
};

const objective = (
  objectiveMs: number | null,
  lagMs: number | null,
  row: LinkLook | undefined,
): LinkStatus['slo'] => {
  if (objectiveMs === null) return { verdict: 'none', objectiveMs };
  if (!row || lagMs === null) return { verdict: 'unknown', objectiveMs };
  const carries = row.state === 'streaming' || row.state === 'catching-up';
  return { verdict: carries && lagMs <= objectiveMs ? 'met' : 'missed', objectiveMs };
};

/** What exit 6 stands for: a link that does not carry its changes as it should. One that was never run is no finding. */
export const isFinding = (status: LinkStatus): boolean =>
  status.slo.verdict === 'missed' ||
  status.verdict === 'fail' ||
  status.state === 'errored' ||
  status.state === 'needs-repair' ||
  (status.slot !== null &&
    (!status.slot.exists || status.slot.ahead || status.slot.walStatus === 'lost') &&
    status.state !== 'stopped');
