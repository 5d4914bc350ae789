/** Status of links: the configuration's links joined with what one look at each server gave. Pure. */

import type { LinkState } from '../plan/facts.ts';
import type { Lsn } from '../change/lsn.ts';
import { formatLsn, parseLsn } from '../change/lsn.ts';
import {
  judgeHeld,
  judgeRetained,
  RETENTION,
  type RetainedWal,
  type RetentionRule,
} from '../metrics/retained-wal.ts';
import { targetTable } from '../topology/mapping.ts';
import { slotName, type Link, type Stream } from '../topology/link.ts';
import type { Judgement } from '../validation/positions/judge.ts';
import type { SlotSeen } from '../validation/positions/positions.ts';
import { rangeFacts } from '../validation/positions/refuse.ts';
import { judgeLook } from './status-positions.ts';

export interface SourceLook {
  readonly currentLsn: Lsn;
  /** The source's clock: lag is measured against it, so that ours does not matter. */
  readonly nowMs: number;
  /** Mean since the statistics were reset; null or absent where unknown. */
  readonly walBytesPerSecond?: number | null;
  /** Null for a change log, which has none. */
  readonly slots: ReadonlyMap<string, SlotHealth> | null;
  /** What the positions are judged by; absent where nobody asked. */
  readonly seen?: {
    readonly systemIdentifier: string;
    readonly timeline: number;
    readonly database: string;
    readonly slots: ReadonlyMap<string, SlotSeen>;
    readonly publications: ReadonlySet<string>;
  };
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
  readonly sequences?: ReadonlyMap<string, SequencesLook>;
  /** By stream key. */
  readonly runners: ReadonlyMap<string, Runner>;
  /** Sources that checkpoints belong to, by stream key. */
  readonly sources?: ReadonlyMap<string, { readonly systemIdentifier: string; readonly timeline: number }>;
  /** How the newest run of a stream ended, by stream key. */
  readonly ended?: ReadonlyMap<string, { readonly run: string; readonly outcome: string }>;
}

export interface SequencesLook {
  readonly carried: number;
  /** The target has none for the column, or the role may not set it. */
  readonly left: readonly { readonly sequence: string; readonly why: string }[];
  readonly at: string;
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
  /** What the target calls it, where not as the source does. */
  readonly into?: string;
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
  /**
   * `never-run` when the target knows nothing of the link; `stopped` once a stopping link is off its stream;
   * `needs-repair` also where its slot can no longer give what comes after the checkpoint.
   */
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
  /** What the slot holds back against what it may; null where there is no slot, or it was not seen. */
  readonly retained: RetainedWal | null;
  /** Of the stream: sequences that were carried along, and that could not be; null before the first time. */
  readonly sequences: SequencesLook | null;
  /** Whether the stream could start at its checkpoint, as the doctor says it; null where it was not judged. */
  readonly positions: ReturnType<typeof rangeFacts> | null;
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
  /** When the log that a slot of the source holds back is an alarm. */
  readonly retention?: RetentionRule;
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
  const health = source?.slots?.get(slot);
  const tables = (row?.tables ?? []).map((table) => {
    const into = targetTable(link.rule.map, table.table);
    return into === table.table ? table : { ...table, into };
  });
  // A change log is judged when it is opened: nobody but the run that reads it knows of its checkpoint.
  const isLog = source?.slots === null;
  const judgement = row && !isOff(row) && !isLog ? judgeLook(slot, look) : null;
  const runner = health?.active || isLog ? (target?.runners.get(stream.key) ?? null) : null;
  const sum = (key: Exclude<keyof TableStatus, 'table' | 'into'>): number =>
    tables.reduce((total, table) => total + table[key], 0);
  return {
    link: link.id,
    rule: link.rule.id,
    tenant: link.tenant,
    tier: link.rule.tier,
    source: link.source,
    target: link.target,
    stream: stream.key,
    state: stateOf(row, target, judgement),
    why: target ? whyOf(row, judgement, runner, look) : look.errors.join('; '),
    lagMs: lag.ms,
    lagBytes: lag.bytes,
    position: lag.position,
    slot:
      row && source?.slots
        ? { name: slot, exists: health !== undefined, ahead: isAhead(slot, look), ...(health ?? NO_SLOT) }
        : null,
    retained: row && health ? retainedOf(health, lag, look, isHeld(row)) : null,
    sequences: target?.sequences?.get(stream.key) ?? null,
    positions: judgement && rangeFacts(judgement),
    runner,
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
    slo: objective(link.rule.lagObjective ?? null, lag.ms, row, judgement),
    tables,
  };
};

/** The rate is that of the log since the checkpoint: all of it stays until the stream has taken it in. */
const retainedOf = (
  { retainedBytes, safeWalBytes }: SlotHealth,
  lag: { readonly ms: number | null; readonly bytes: number | null },
  { retention, source }: StreamLook,
  held: boolean,
): RetainedWal | null => {
  if (retainedBytes === null) return null;
  const known = lag.bytes !== null && lag.ms !== null && lag.bytes > 0 && lag.ms >= 1_000;
  const bytesPerSecond = known
    ? (lag.bytes * 1_000) / lag.ms
    : held
      ? (source?.walBytesPerSecond ?? null)
      : null;
  const bytes = Math.max(0, retainedBytes);
  const judge = held ? judgeHeld : judgeRetained;
  return judge({ bytes, safeBytes: safeWalBytes, bytesPerSecond }, retention ?? RETENTION);
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
  const health = source?.slots?.get(slot);
  const point = target?.checkpoints.get(slot);
  if (!health || health.active || health.confirmedFlush === null || !point) return false;
  return parseLsn(health.confirmedFlush) > point.position;
};

/** It keeps log on a slot of its own, within a budget. */
export const isHeld = (row: Pick<LinkLook, 'state'>): boolean =>
  row.state === 'paused' || row.state === 'errored';

/** An operator took it off: nothing is to be carried. */
const isOff = (row: LinkLook): boolean => row.state === 'stopping' && row.takenOff;

const stateOf = (
  row: LinkLook | undefined,
  target: TargetLook | null,
  judgement: Judgement | null,
): LinkStatus['state'] => {
  if (!target) return 'unknown';
  if (!row) return 'never-run';
  if (isOff(row)) return 'stopped';
  return judgement?.verdict === 'gap' ? 'needs-repair' : row.state;
};

/** Why the link is not carried: what its state rests on, what its positions say, or how the newest run ended. */
const whyOf = (
  row: LinkLook | undefined,
  judgement: Judgement | null,
  runner: Runner | null,
  { stream, target }: StreamLook,
): string | null => {
  if (!row || isOff(row)) return row?.why ?? null;
  if (row.why !== null) return row.why;
  if (judgement?.verdict === 'gap' || judgement?.verdict === 'unknown') return judgement.why;
  if (runner) return null;
  const gone = target?.runners.get(stream.key);
  if (gone) return `run ${gone.run} on ${gone.host}, pid ${gone.pid}, does not read from the slot now`;
  const ended = target?.ended?.get(stream.key);
  return ended?.outcome.startsWith('failed') ? `run ${ended.run} ${ended.outcome}` : null;
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
  judgement: Judgement | null,
): LinkStatus['slo'] => {
  if (objectiveMs === null) return { verdict: 'none', objectiveMs };
  if (judgement?.verdict === 'gap') return { verdict: 'missed', objectiveMs };
  if (!row || lagMs === null || judgement?.verdict === 'unknown') return { verdict: 'unknown', objectiveMs };
  const carries = ['streaming', 'catching-up', 'pausing'].includes(row.state);
  return { verdict: carries && lagMs <= objectiveMs ? 'met' : 'missed', objectiveMs };
};

/** What exit 6 stands for: a link that does not carry its changes as it should. One that was never run is no finding. */
export const isFinding = (status: LinkStatus): boolean =>
  status.slo.verdict === 'missed' ||
  status.verdict === 'fail' ||
  (status.retained !== null && status.retained.alarm !== null) ||
  status.state === 'errored' ||
  status.state === 'needs-repair' ||
  (status.slot !== null &&
    (!status.slot.exists || status.slot.ahead || status.slot.walStatus === 'lost') &&
    status.state !== 'stopped');
