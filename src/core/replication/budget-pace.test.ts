/** Budgets on a clock that is moved by hand. */

import { expect, it } from 'vitest';
import { config } from '../plan/facts.fixture.ts';
import type { Clock } from '../time/clock.ts';
import { linksOf } from '../topology/link.ts';
import type { XcError } from '../errors/xc-error.ts';
import { budgetPace, measuredLatencies, settle, type Budget, type Purses } from './budget-pace.ts';

const START = Date.parse('2026-06-01T23:59:00Z');

/** Sleeping moves it: whoever waits is alone. */
const clockAt = (startMs: number): Clock & { pass(ms: number): void } => {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    pass: (ms) => void (nowMs += ms),
    sleep: (ms, signal) => {
      signal.throwIfAborted();
      nowMs += ms;
      return Promise.resolve();
    },
  };
};

const [ACME, BETA] = ['shop:acme:us:eu', 'shop:beta:us:eu'] as const;
const of = (more: Partial<Budget>): Budget => ({ tenant: 'acme', from: 'us', to: 'eu', ...more });
const never = new AbortController().signal;

const open = (budget: Budget, used = 0) => {
  const clock = clockAt(START);
  const days = new Map<string, number>();
  const waited: XcError[] = [];
  const late: XcError[] = [];
  const purses: Purses = new Map();
  const pace = budgetPace(
    linksOf(config()),
    [budget],
    {
      clock,
      counts: {
        add: (_tenant, _source, day, bytes) => {
          const sum = (days.get(day) ?? (day === '2026-06-01' ? used : 0)) + bytes;
          days.set(day, sum);
          return Promise.resolve(sum);
        },
      },
      waiting: (error) => waited.push(error),
      late: (error) => late.push(error),
    },
    purses,
  )!;
  return { clock, days, waited, late, purses, pace };
};

it.each([
  ['socketfuls of a copy', 65_536, 0],
  ['batches of a stream', 8 * 2 ** 20, 0],
  ['batches that take time to be applied', 2 ** 20, 60],
  ['small changes', 700, 0],
])('gives exactly the bytes per second to %s', async (_what, size, appliedMs) => {
  const rate = 10 * 2 ** 20;
  const { clock, pace } = open(of({ bytesPerSecond: rate }));
  let sent = 0;
  while (sent < rate * 20) {
    await pace.spend(ACME, size, never);
    sent += size;
    clock.pass(appliedMs);
  }
  const seconds = (clock.nowMs() - START) / 1000;
  expect(sent / seconds / rate).toBeGreaterThan(0.99);
  expect(sent / seconds / rate).toBeLessThan(1.01);
});

it('lets an idle sender save up one second, and leaves others alone', async () => {
  const { clock, pace } = open(of({ bytesPerSecond: 1_000 }));
  clock.pass(3_600_000);
  expect(pace.spend(ACME, 1_000, never)).toBeNull();
  expect(pace.spend(BETA, 1_000_000, never)).toBeNull();
  await pace.spend(ACME, 500, never);
  expect(clock.nowMs() - START).toBe(3_600_500);
});

it('pauses over the bytes of a day, says why and until when, and goes on with the next', async () => {
  const { clock, pace, waited, days } = open(of({ bytesPerDay: 10_000 }), 4_000);
  await pace.spend(ACME, 5_000, never);
  expect(waited).toEqual([]);
  await pace.spend(ACME, 1_000, never);
  expect(clock.nowMs()).toBe(Date.parse('2026-06-02T00:00:00Z'));
  expect(waited[0]).toMatchObject({
    code: 'XC-2037',
    why: expect.stringContaining(
      '10000 of 10000 bytes of 2026-06-01 are used; it goes on at 2026-06-02',
    ) as string,
  });
  expect(days.get('2026-06-01')).toBe(10_000);
});

it('ends the pause where the run is stopped', async () => {
  const { pace } = open(of({ bytesPerDay: 1 }), 5);
  await expect(pace.spend(ACME, 1, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
});

it('lets as many jobs run side by side as the budget says', async () => {
  const { pace } = open(of({ concurrentJobs: 2 }));
  const first = await pace.job([ACME, BETA], never);
  using _second = await pace.job([ACME], never);
  const stop = new AbortController();
  const third = pace.job([ACME], stop.signal);
  first[Symbol.dispose]();
  using _third = await third;
  expect(budgetPace(linksOf(config()), [of({ tenant: 'gamma' })], {} as never)).toBeNull();
});

it('counts everything of a day by the end of a run: many short ones use as much as one long one', async () => {
  const { pace, days, purses } = open(of({ bytesPerDay: 1_000_000 }));
  for (let sent = 0; sent < 10; sent++) await pace.spend(ACME, 100, never);
  await settle(purses);
  expect([...days.values()]).toEqual([1_000]);
  await settle(purses);
  expect([...days.values()]).toEqual([1_000]);
});

it('begins no chunk of a copy while the stream is later than allowed, says so once, and goes on', async () => {
  const { pace, clock, late, purses } = open(of({ maxLatency: 1_000 }));
  pace.applied?.(900);
  using _before = await pace.job([ACME], never);
  expect(clock.nowMs()).toBe(START);
  pace.applied?.(1_500);
  pace.applied?.(1_600);
  expect(late.map(({ code, why }) => [code, why])).toEqual([
    ['XC-2061', '1500 ms late, 1000 ms are allowed; its copies wait'],
  ]);
  // Others of the stream are left alone, and what is streamed is never held.
  using _other = await pace.job([BETA], never);
  expect(pace.spend(ACME, 1_000_000, never)).toBeNull();
  expect(clock.nowMs()).toBe(START);
  using _idle = await pace.job([ACME], never);
  // Nothing came for a while: the stream is not late, it is idle.
  expect(clock.nowMs() - START).toBeGreaterThanOrEqual(5_000);
  pace.applied?.(10);
  pace.applied?.(2_000);
  expect(late).toHaveLength(2);
  expect(measuredLatencies(purses)).toMatchObject([
    { tenant: 'acme', maxLatencyMs: 1_000, latencyMs: 2_000 },
  ]);
});
