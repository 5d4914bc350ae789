/** Status of links: the configuration's links joined with what one look at each server gave. Pure. */

import { formatLsn, parseLsn } from '../change/lsn.ts';
import { judgeSnapshot, type CopySnapshot } from '../metrics/copy-snapshot.ts';
import { judgeHeld, judgeRetained, RETENTION, type RetainedWal } from '../metrics/retained-wal.ts';
import { targetTable } from '../topology/mapping.ts';
import { slotName, type Link } from '../topology/link.ts';
import type { Judgement } from '../validation/positions/judge.ts';
import { rangeFacts } from '../validation/positions/refuse.ts';
import { judgeLook } from './status-positions.ts';
import type { SlotHealth, TargetLook, LinkLook, TableStatus, Runner, StreamLook } from './look.ts';
import type { LinkStatus } from './link-status.ts';

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
  const joining = target?.joining?.get(link.id) ?? [];
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
    snapshot: row?.state === 'copying' || joining.length > 0 ? snapshotOf(look) : null,
    joining,
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

/** Of whoever runs the stream: its sessions on the source are told by the run. */
const snapshotOf = ({ stream, source, target }: StreamLook): CopySnapshot | null => {
  const run = target?.runners.get(stream.key)?.run;
  if (run === undefined) return null;
  const found = [...(source?.snapshots ?? [])].find(([name]) => run.startsWith(name));
  return found ? judgeSnapshot(found[1]) : null;
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
  (status.snapshot !== null && status.snapshot.alarm !== null) ||
  status.state === 'errored' ||
  status.state === 'needs-repair' ||
  (status.slot !== null &&
    (!status.slot.exists || status.slot.ahead || status.slot.walStatus === 'lost') &&
    status.state !== 'stopped');
