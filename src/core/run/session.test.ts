import { describe, expect, it } from 'vitest';
import { lsnOf } from '../change/lsn.ts';
import { XcError } from '../errors/xc-error.ts';
import { Health } from '../metrics/health.ts';
import type { ReplicationMetrics } from '../metrics/metrics.ts';
import { config, facts, streams, wish } from '../plan/facts.fixture.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { StreamEngine, Streamed } from '../replication/engine.ts';
import type { Stream } from '../topology/link.ts';
import type { Journal, JournalEntry, RunStore } from './journal.ts';
import { RunProgress } from './progress.ts';
import { runSession, type SessionEnd, type SessionPorts, type SessionRequest } from './session.ts';

const of = config({
  rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], dedicated: true }],
});
const both = streams(of);
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

class World {
  readonly log: string[] = [];
  readonly entries: JournalEntry[] = [];
  readonly health = new Health();
  readonly progress = new RunProgress(metrics);
  readonly over = new AbortController();
  sleep: (signal: AbortSignal) => Promise<void> = rejectOn;
  lockedAt = -1;
  /** What a stream without end does when it begins. */
  onStream: (stream: Stream) => void = nothing;
  onCopy: (signal: AbortSignal) => Promise<void> = () => Promise.resolve();

  engine(stream: Stream, at: number): StreamEngine {
    const log = (what: string): void => void this.log.push(`${what} ${at}`);
    return {
      holding: () => Promise.resolve({ state: 'free' }),
      acquire: () => {
        if (at === this.lockedAt) return Promise.reject(new XcError('XC-7002', { why: 'host h, pid 7' }));
        log('acquire');
        return Promise.resolve();
      },
      checkSlot: () => Promise.resolve(),
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
        return Promise.resolve(plan);
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

const rejectOn = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });

describe('a session', () => {
  it('plans under its locks, and gives them back', async () => {
    const world = new World();
    const end = await world.run();
    expect(end).toMatchObject({ errors: [], interruption: undefined, cutShort: false, lagging: false });
    expect(world.log).toEqual(['acquire 0', 'acquire 1', 'plan', 'release 0', 'release 1']);
  });

  it('gives back the locks that it has when another run holds one, and begins nothing', async () => {
    const world = new World();
    world.lockedAt = 1;
    await expect(world.run()).rejects.toMatchObject({ code: 'XC-7002' });
    expect(world.log).toEqual(['acquire 0', 'release 0', 'release 1']);
    expect(world.entries).toEqual([]);
  });

  it('follows every stream until it is interrupted, and is ready meanwhile', async () => {
    const world = new World();
    let streaming = 0;
    world.onStream = () => {
      streaming += 1;
      if (streaming < both.length) return;
      expect(world.health.report()).toMatchObject({ live: true, ready: true });
      world.over.abort(new DOMException('interrupted by SIGINT', 'AbortError'));
    };
    const end = await world.run({ follow: true });
    expect(String(end.interruption)).toContain('SIGINT');
    expect(world.entries.filter((entry) => entry.step === 'follow' && entry.event === 'done')).toHaveLength(
      2,
    );
  });

  it('is live and not ready while a stream waits for its target, until a change is applied again', async () => {
    const world = new World();
    const seen: ReturnType<Health['report']>[] = [];
    world.onStream = (stream) => {
      if (stream.key !== both[0]!.key) return;
      const engine = world.progress.of(stream);
      engine.waiting?.(new XcError('XC-5202', { subject: 'shop.orders.c' }));
      seen.push(world.health.report());
      engine.applied(1, lsnOf(10n));
      seen.push(world.health.report());
      world.over.abort(new Error('SIGTERM'));
    };
    await world.run({ follow: true });
    const waits = `stream ${both[0]!.key}: paused, XC-5202`;
    expect(seen[0]).toMatchObject({ live: true, ready: false });
    expect(seen[0]!.reasons).toContain(waits);
    expect(seen[1]!.reasons).not.toContain(waits);
  });

  it('ends a stream that lags again after it had caught up, and only then', async () => {
    const world = new World();
    world.onStream = (stream) => {
      const progress = world.progress.of(stream);
      for (const lagMs of [60_000, 900, 5_000]) progress.applied(lagMs, lsnOf(1n));
    };
    expect(await world.run({ follow: true, maxLagMs: 1_000 })).toMatchObject({
      lagging: true,
      interruption: undefined,
    });
    const patient = new World();
    patient.onStream = (stream) => {
      patient.progress.of(stream).applied(60_000, lsnOf(1n));
      patient.over.abort(new Error('enough'));
    };
    expect(await patient.run({ follow: true, maxLagMs: 1_000 })).toMatchObject({ lagging: false });
  });

  it('is cut short by --max-duration in the middle of a copy, in good order', async () => {
    const world = new World();
    let wake = nothing;
    world.sleep = (signal) =>
      new Promise((resolve, reject) => {
        wake = resolve;
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    world.onCopy = async (signal) => {
      wake();
      await rejectOn(signal);
    };
    const end = await world.run({ maxDurationMs: 1_000 });
    expect(end).toMatchObject({ cutShort: true, interruption: undefined, errors: [] });
    expect(world.entries.some((entry) => entry.event === 'interrupted')).toBe(true);
    expect(world.log.slice(-2)).toEqual(['release 0', 'release 1']);
  });
});
