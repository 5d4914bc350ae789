/** A report is a pure fold over a run's journal: every number in it was measured in that run, and is in the journal. */

import type { LagQuantiles } from '../metrics/lag-histogram.ts';
import { subjectOf } from '../plan/step-subject.ts';
import type { ErroredLink } from '../replication/engine.ts';
import type { Estimate, GateRow, Plan, Step } from '../plan/plan.ts';
import type { IntegrityFact } from '../policy/gates/integrity.ts';
import { gatesAtEnd } from '../run/run-gates.ts';
import type { JournalEntry, JournalError, StepResult } from '../run/journal.ts';
import { FOLLOW } from '../run/main-stream.ts';
import { endingOf, type Outcome } from '../run/outcome.ts';
import { compareFindings, type Finding } from '../validation/finding.ts';

export type StepState = 'done' | 'failed' | 'undone' | 'interrupted' | 'open';

export interface StepReport {
  readonly id: string;
  readonly kind: Step['kind'];
  readonly stream: string;
  readonly subject: string;
  readonly state: StepState;
  /** Null for a step that was not started, or whose end is not in the journal. */
  readonly startedAt: string | null;
  readonly durationMs: number | null;
  readonly result?: StepResult;
  readonly error?: JournalError;
}

export interface RunReport {
  readonly schemaVersion: 1;
  readonly run: string;
  readonly plan: string;
  readonly version: string;
  readonly commit: string;
  readonly mode: 'live' | 'simulation';
  /** What simulation lacks. */
  readonly missing: readonly string[];
  readonly outcome: Outcome;
  readonly exit: number;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly steps: readonly StepReport[];
  readonly totals: {
    readonly copiedRows: number;
    readonly copiedBytes: number;
    readonly changes: number;
    readonly transactions: number;
    readonly verifiedRows: number;
    /** Written or deleted by a plan that repairs rows. */
    readonly repairedRows: number;
  };
  /** Of all transactions applied; null where nothing was streamed. */
  readonly lagMs: LagQuantiles | null;
  readonly estimate: Estimate;
  readonly policy: readonly GateRow[];
  readonly findings: readonly Finding[];
  readonly errors: readonly JournalError[];
  /** Links that an error holds at the end: the others of their stream went on. */
  readonly errored: readonly ErroredLink[];
  readonly next: readonly string[];
}

/** What a run knows beside its journal. */
export interface RunMeta {
  readonly run: string;
  readonly plan: Plan;
  readonly version: string;
  readonly commit: string;
  readonly missing: readonly string[];
  /** The gates as the run judged them; the plan's own where absent. */
  readonly policy?: readonly GateRow[];
  readonly startedAt: string;
  readonly endedAt: string;
  readonly interruption?: unknown;
  readonly cutShort?: boolean;
  readonly lagging?: boolean;
  readonly errored?: readonly ErroredLink[];
  /** Errors outside any step: the lock, the journal, a followed stream. */
  readonly errors?: readonly JournalError[];
}

export const foldReport = (meta: RunMeta, entries: readonly JournalEntry[]): RunReport => {
  const { plan } = meta;
  const planned = new Set(plan.steps.map((step) => step.id));
  const extra = [...new Set(entries.map((entry) => entry.step))].filter((id) => !planned.has(id));
  const steps = [
    ...plan.steps.map((step) => stepReport(step.id, step, entries)),
    ...extra.map((id) => stepReport(id, undefined, entries)),
  ];
  const errors = [...steps.flatMap((step) => step.error ?? []), ...(meta.errors ?? [])];
  const errored = meta.errored ?? [];
  const checked = steps.flatMap((step) => findingsOf(step.id, entries));
  const open = new Set(
    steps
      .filter((step) => step.state !== 'done' && (planned.has(step.id) || step.id === FOLLOW))
      .map((step) => step.stream),
  );
  const streams = new Set(plan.steps.map((step) => step.stream));
  const ending = endingOf({
    errors,
    errored,
    finishedStreams: streams.size - open.size,
    diverged: checked.filter((finding) => finding.verdict === 'fail').length,
    undecided: checked.filter((finding) => finding.verdict === 'unknown').length,
    held: plan.findings.filter(isSetAside).length,
    cutShort: meta.cutShort ?? false,
    lagging: meta.lagging ?? false,
    ...(meta.interruption === undefined ? {} : { interruption: meta.interruption }),
  });
  return {
    schemaVersion: 1,
    run: meta.run,
    plan: plan.id,
    version: meta.version,
    commit: meta.commit,
    mode: plan.mode,
    missing: meta.missing,
    ...ending,
    startedAt: meta.startedAt,
    endedAt: meta.endedAt,
    steps,
    totals: totalsOf(steps),
    lagMs: worstLag(steps),
    estimate: plan.estimate,
    policy: gatesAtEnd(
      meta.policy ?? plan.policy,
      plan,
      verifiedParts(steps, checked),
      Date.parse(meta.endedAt),
    ),
    findings: [...plan.findings, ...checked].toSorted(compareFindings),
    errors,
    errored,
    next:
      plan.kind === 'repair-rows' && errors.length === 0
        ? ['xcrepl replication verify']
        : nextCommands(ending.outcome, [...errors, ...errored]),
  };
};

/** Links and tables that a plan leaves out: lost side slots, tables that came late, links that carry nothing. */
const SET_ASIDE: ReadonlySet<string | undefined> = new Set([
  'XC-5001',
  'XC-5004',
  'XC-5250',
  'XC-5251',
  'XC-5252',
]);

const isSetAside = (finding: Finding): boolean => finding.verdict === 'fail' && SET_ASIDE.has(finding.code);

const stepReport = (id: string, step: Step | undefined, entries: readonly JournalEntry[]): StepReport => {
  const own = entries.filter((entry) => entry.step === id);
  const started = own.findLast((entry) => entry.event === 'started');
  const last = own.at(-1);
  const ended = last && last.event !== 'started' ? last : undefined;
  return {
    id,
    kind: step?.kind ?? last?.kind ?? 'stream-changes',
    stream: step?.stream ?? last?.stream ?? '',
    subject: step ? subjectOf(step) : (last?.subject ?? ''),
    state: stateOf(last),
    startedAt: started?.at ?? null,
    durationMs: started && ended ? Date.parse(ended.at) - Date.parse(started.at) : null,
    ...(ended?.result ? { result: ended.result } : {}),
    ...(ended?.error ? { error: ended.error } : {}),
  };
};

/** A step whose end is not in the journal was cut off by the end of its process. */
const stateOf = (last: JournalEntry | undefined): StepState => {
  if (!last) return 'open';
  return last.event === 'started' ? 'interrupted' : last.event;
};

const findingsOf = (step: string, entries: readonly JournalEntry[]): readonly Finding[] =>
  entries.findLast((entry) => entry.step === step && entry.findings)?.findings ?? [];

const totalsOf = (steps: readonly StepReport[]): RunReport['totals'] => {
  const sum = (kind: Step['kind'], key: string): number =>
    steps
      .filter((step) => step.kind === kind)
      .reduce((total, { result }) => total + (typeof result?.[key] === 'number' ? result[key] : 0), 0);
  return {
    copiedRows: sum('copy-table', 'rows'),
    copiedBytes: sum('copy-table', 'bytes'),
    changes: sum('stream-changes', 'changes'),
    transactions: sum('stream-changes', 'transactions'),
    verifiedRows: sum('verify', 'rows'),
    repairedRows: sum('repair-rows', 'rows') + sum('repair-rows', 'deleted'),
  };
};

/** Each comparison that the plan has; null while one of them is not done. */
const verifiedParts = (
  steps: readonly StepReport[],
  checked: readonly Finding[],
): readonly IntegrityFact[] | null => {
  const compared = steps.filter(({ kind, id }) => kind === 'verify' && id !== FOLLOW);
  if (compared.some(({ state }) => state !== 'done')) return null;
  const differing = checked.filter(({ verdict }) => verdict === 'fail');
  if (differing.length === 0 && checked.some(({ verdict }) => verdict === 'unknown')) return null;
  return differing.length > 0
    ? differing.map(({ subject }) => ({ subject, sha256: 'mismatch' }))
    : compared.map(({ subject }) => ({ subject, sha256: 'verified' }));
};

/** A stream's steps carry the quantiles since the run began, so its last one counts; of several streams the worst. */
const worstLag = (steps: readonly StepReport[]): LagQuantiles | null => {
  const byStream = new Map<string, LagQuantiles>();
  for (const { stream, result } of steps) if (isLag(result?.lagMs)) byStream.set(stream, result.lagMs);
  const all = [...byStream.values()];
  return all.toSorted((a, b) => b.p99 - a.p99)[0] ?? null;
};

const isLag = (value: unknown): value is LagQuantiles =>
  typeof value === 'object' && value !== null && 'p99' in value;

const nextCommands = (outcome: Outcome, errors: readonly JournalError[]): string[] => {
  const remedies = [...new Set(errors.map((error) => error.next))];
  switch (outcome) {
    case 'done':
      return ['xcrepl replication status', 'xcrepl replication run --follow'];
    case 'diverged':
      return ['xcrepl replication status', 'xcrepl replication run --once'];
    case 'partly':
    case 'failed':
    case 'locked':
    case 'unknown':
      return [...remedies, 'xcrepl replication status'];
    case 'deadline':
    case 'interrupted':
      return ['xcrepl replication run', 'xcrepl replication status'];
  }
};
