/** Fakes under a session: engines, journal and clock. */

import { lsnOf } from '../change/lsn.ts';
import { XcError } from '../errors/xc-error.ts';
import { Health } from '../metrics/health.ts';
import type { ReplicationMetrics } from '../metrics/metrics.ts';
import { config, facts, streams, wish } from '../plan/facts.fixture.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan } from '../plan/plan.ts';
import type { StreamEngine, Streamed } from '../replication/engine.ts';
import type { Holding } from '../replication/holding.ts';
import type { Stream } from '../topology/link.ts';
import type { Journal, JournalEntry, RunStore } from './journal.ts';
import { RunProgress } from './progress.ts';
import { runSession, type SessionEnd, type SessionPorts, type SessionRequest } from './session.ts';

const of = config({
  rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], dedicated: true }],
});
export const both = streams(of);
const plan = makePlan(facts(of), wish(of), { id: 'pl_1', nowMs: 0 });
const AT: Streamed = {
  position: lsnOf(9n),
  changes: 0,
  transactions: 0,
  conflicts: 0,
  fallbacks: 0,
  errored: [],
};

const nothing = (): void => undefined;
const metrics: ReplicationMetrics = {
  lag: nothing,
  planned: nothing,
  stepFailed: nothing,
  stepTook: nothing,
  succeeded: nothing,
  rows: nothing,
  bytes: nothing,
  retained: nothing,
  copySnapshot: nothing,
};

/** What a session works on: two streams, and engines that do as they are told. */
export class World {
  readonly log: string[] = [];
  readonly entries: JournalEntry[] = [];
  readonly health = new Health();
  readonly progress = new RunProgress(metrics);
  readonly over = new AbortController();
  sleep: (signal: AbortSignal) => Promise<void> = rejectOn;
  lockedAt = -1;
  /** What a stream without end does when it begins. */
  onStream: (stream: Stream) => void = nothing;
  onConfirm: (at: number) => Promise<void> = () => Promise.resolve();
  holding: (at: number) => Holding = () => ({ state: 'free' });
  onPlan: () => Promise<Plan> = () => Promise.resolve(plan);
  onCopy: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  engine(stream: Stream, at: number): StreamEngine {
    const log = (what: string): void => void this.log.push(`${what} ${at}`);
    return {
      holding: () => Promise.resolve(this.holding(at)),
      acquire: () => {
        if (at === this.lockedAt) return Promise.reject(new XcError('XC-7002', { why: 'host h, pid 7' }));
        log('acquire');
        return Promise.resolve();
      },
      checkSlot: () => Promise.resolve(),
      confirm: () => this.onConfirm(at),
      publishTables: () => Promise.resolve({ changed: true }),
      createSlot: (step) => Promise.resolve({ slot: step.slot, position: lsnOf(1n) }),
      copyTable: async (_step, signal) => {
        await this.onCopy(signal);
        return { rows: 1, bytes: 1, chunks: 1 };
      },
      streamChanges: (_step, { until, signal }) => {
        if (until !== null || signal.aborted) return Promise.resolve(AT);
        return new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve(AT));
          this.onStream(stream);
        });
      },
      compare: () => Promise.resolve({ differences: [], findings: [], tables: [], seed: null }),
      handOver: () => Promise.resolve({ links: 0, position: null, removed: [] }),
      adopt: () => Promise.resolve({ links: 0, position: null, removed: [] }),
      splitLinks: () => Promise.resolve({ links: 0, position: null }),
      expireHeld: () => Promise.resolve([]),
      mergeLinks: () => Promise.resolve({ links: 1, position: lsnOf(1n) }),
      removeLinks: () => Promise.resolve({ links: 1, removed: [] }),
      removeTables: () => Promise.resolve({ tables: 1 }),
      verify: () => Promise.resolve({ findings: [], tables: 1, rows: 1 }),
      dropLink: () => Promise.resolve([]),
      sourcePosition: () => Promise.resolve(lsnOf(9n)),
      erroredLinks: () => Promise.resolve([]),
      [Symbol.asyncDispose]: () => {
        log('release');
        return Promise.resolve();
      },
    };
  }

  run(more: Partial<SessionRequest> = {}): Promise<SessionEnd> {
    const journal: Journal = { append: (entry) => Promise.resolve(void this.entries.push(entry)) };
    const store: RunStore = {
      savePlan: () => Promise.resolve(),
      begin: () => Promise.resolve(journal),
      read: () => Promise.resolve(null),
      runs: () => Promise.resolve([]),
    };
    const ports: SessionPorts = {
      clock: { nowMs: () => 0, sleep: (_ms, signal) => this.sleep(signal) },
      metrics,
      health: this.health,
      progress: this.progress,
      store,
      open: (stream) => this.engine(stream, both.indexOf(stream)),
      plan: () => {
        this.log.push('plan');
        return this.onPlan();
      },
      replan: () => Promise.resolve({ ...plan, steps: [] }),
      watch: () => ({ state: () => Promise.resolve(''), dropping: () => Promise.resolve([]) }),
      observer: {},
      warn: nothing,
    };
    const request = {
      run: 'rn_1',
      streams: both,
      follow: false,
      maxDurationMs: null,
      maxLagMs: null,
      ...more,
    };
    return runSession(request, ports, this.over.signal);
  }
}

export const rejectOn = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
