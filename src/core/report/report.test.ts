import { describe, expect, it } from 'vitest';
import { config, facts, wish } from '../plan/facts.fixture.ts';
import { makePlan } from '../plan/make-plan.ts';
import { XcError } from '../errors/xc-error.ts';
import type { JournalEntry, JournalEvent } from '../run/journal.ts';
import type { Finding } from '../validation/finding.ts';
import { reportMarkdown } from './markdown.ts';
import { foldReport, type RunMeta, type RunReport } from './report.ts';

const of = config();
const plan = makePlan(facts(of), wish(of), { id: 'pl_1', nowMs: 0 });

/** Entries at one second each, in the order given. */
const journal = (
  ...events: [step: string, event: JournalEvent, more?: Partial<JournalEntry>][]
): JournalEntry[] =>
  events.map(([step, event, more], at) => ({
    schemaVersion: 1,
    seq: at + 1,
    at: new Date((at + 1) * 1_000).toISOString(),
    run: 'rn_1',
    plan: 'pl_1',
    step,
    kind: 'copy-table',
    stream: 'a',
    subject: 'shop.orders',
    event,
    attempt: 1,
    ...more,
  }));

const lagMs = { p50: 41, p99: 180, max: 200, last: 40, samples: 12 };
const differing: Finding = {
  check: 'rows',
  subject: 'shop.orders',
  verdict: 'fail',
  severity: 'block',
  seen: 'key 7 differs | in "note"',
};

const RESULTS: Record<string, object> = {
  'copy-table': { rows: 10, bytes: 100, chunks: 1 },
  'stream-changes': { changes: 5, transactions: 2, lagMs },
  verify: { tables: 2, rows: 20 },
};

const held = (code: 'XC-5204' | 'XC-2001') => ({
  link: `l:${code}`,
  code,
  message: 'm',
  next: 'mend it',
});

const all = (findings: readonly Finding[] = []): JournalEntry[] =>
  journal(
    ...plan.steps.flatMap((step): [string, JournalEvent, Partial<JournalEntry>?][] => [
      [step.id, 'started'],
      [
        step.id,
        'done',
        { result: { ...RESULTS[step.kind] }, findings: step.kind === 'verify' ? findings : [] },
      ],
    ]),
  );

const fold = (entries: readonly JournalEntry[], more: Partial<RunMeta> = {}): RunReport =>
  foldReport(
    {
      run: 'rn_1',
      plan,
      version: '0.1.0',
      commit: 'abc',
      missing: [],
      startedAt: '1970-01-01T00:00:00.000Z',
      endedAt: '1970-01-01T00:01:00.000Z',
      ...more,
    },
    entries,
  );

const failure = (code: 'XC-6001' | 'XC-7002' | 'XC-7003') => ({
  code,
  message: 'it failed',
  next: 'try again',
});

describe('the report of a run', () => {
  it('is done with what was measured', () => {
    expect(fold(all())).toMatchObject({
      outcome: 'done',
      exit: 0,
      totals: { copiedRows: 20, copiedBytes: 200, changes: 5, transactions: 2, verifiedRows: 20 },
      lagMs,
    });
    expect(fold(all()).steps.every((step) => step.state === 'done' && step.durationMs === 1_000)).toBe(true);
  });

  it.each<[string, number, RunReport['outcome'], JournalEntry[], Partial<RunMeta>]>([
    ['a difference', 6, 'diverged', all([differing]), {}],
    ['a comparison without answer', 12, 'unknown', all([{ ...differing, verdict: 'unknown' }]), {}],
    ['lag above the limit', 6, 'diverged', all(), { lagging: true }],
    [
      'the longest time before all was copied',
      3,
      'partly',
      journal(['s1', 'started'], ['s1', 'done']),
      { cutShort: true },
    ],
    ['the lock of another run', 11, 'locked', [], { errors: [failure('XC-7002')] }],
    [
      'a server that went away',
      5,
      'failed',
      journal(['s1', 'started'], ['s1', 'failed', { error: failure('XC-6001') }]),
      {},
    ],
    [
      'an outcome that is not known',
      12,
      'unknown',
      journal(['s1', 'started'], ['s1', 'failed', { error: failure('XC-7003') }]),
      {},
    ],
    [
      'a signal',
      130,
      'interrupted',
      journal(['s1', 'started'], ['s1', 'interrupted']),
      { interruption: new Error('interrupted by SIGINT') },
    ],
    [
      'a deadline',
      10,
      'deadline',
      journal(['s1', 'started'], ['s1', 'interrupted']),
      { interruption: new XcError('XC-7001') },
    ],
    [
      'a link that was set aside',
      3,
      'partly',
      all(),
      { plan: { ...plan, findings: [{ ...differing, severity: 'warn', code: 'XC-5004' }] } },
    ],
  ])('after %s', (_, exit, outcome, entries, more) => {
    expect(fold(entries, more)).toMatchObject({ exit, outcome });
  });

  it('is partly done when one stream failed and another is finished', () => {
    const other = {
      ...plan,
      steps: plan.steps.map((step) => (step.id === 's6' ? { ...step, stream: 'other' } : step)),
    };
    const entries = journal(
      ['s1', 'started'],
      ['s1', 'failed', { error: failure('XC-6001') }],
      ['s6', 'started'],
      ['s6', 'done'],
    );
    expect(fold(entries, { plan: other })).toMatchObject({ exit: 3, outcome: 'partly' });
  });

  it('calls a step whose end is not in the journal interrupted, and one that never began open', () => {
    const { steps } = fold(journal(['s1', 'started'], ['s1', 'done'], ['s2', 'started']));
    expect(steps.map((step) => step.state)).toEqual(['done', 'interrupted', 'open', 'open', 'open', 'open']);
  });

  it('is a pure function of the journal', () => {
    expect(fold(all())).toEqual(fold(all()));
  });
});

describe('as Markdown', () => {
  it('shows outcome, steps, gates, findings and what to do next', () => {
    const text = reportMarkdown(fold(all([differing])));
    expect(text).toContain('# Run rn_1: diverged');
    expect(text).toContain(
      '| s3 | copy-table | shop.customers | done | 1000 ms | rows 10, bytes 100, chunks 1 |',
    );
    expect(text).toContain('p50 41 ms, p99 180 ms of 12 measured');
    expect(text).toContain('| P1 | personal data | PASS |');
    expect(text).toContain('key 7 differs | in "note"');
    expect(text).toContain('- `xcrepl replication status`');
  });

  it('keeps tables whole whatever a cell holds', () => {
    const broken = { ...plan, policy: plan.policy.map((row) => ({ ...row, reason: 'a | b\nc' })) };
    expect(reportMarkdown(fold(all(), { plan: broken }))).toContain('a \\| b c |');
  });

  it('is partly done while an error holds a link, by the code of that error', () => {
    const one = fold(all(), { errored: [held('XC-2001')] });
    expect(one).toMatchObject({ outcome: 'partly', exit: 7, next: ['mend it', 'xcrepl replication status'] });
    expect(reportMarkdown(one)).toContain('l:XC-2001: **XC-2001** m');
    expect(fold(all(), { errored: [held('XC-2001'), held('XC-5204')] }).exit).toBe(3);
  });
});
