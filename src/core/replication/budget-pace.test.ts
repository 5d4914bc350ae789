/** Budgets on a clock that is moved by hand. */

import { expect, it } from 'vitest';
import { config } from '../plan/facts.fixture.ts';
import type { Clock } from '../time/clock.ts';
import { linksOf } from '../topology/link.ts';
import type { XcError } from '../errors/xc-error.ts';
import { budgetPace, type Budget } from './budget-pace.ts';

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
  const pace = budgetPace(linksOf(config()), [budget], {
    clock,
    counts: {
      add: (_tenant, _source, day, bytes) => {
        const sum = (days.get(day) ?? (day === '2026-06-01' ? used : 0)) + bytes;
        days.set(day, sum);
        return Promise.resolve(sum);
      },
    },
    waiting: (error) => waited.push(error),
  })!;
  return { clock, days, waited, pace };
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
