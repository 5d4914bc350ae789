import { expect, it } from 'vitest';
import { Health } from './health.ts';
import { LagHistogram } from './lag-histogram.ts';

it('gives quantiles that are off by no more than 2 %', () => {
  const histogram = new LagHistogram();
  for (let ms = 1; ms <= 10_000; ms += 1) histogram.add(ms);
  const quantiles = histogram.quantiles()!;
  expect(Math.abs(quantiles.p50 - 5_000)).toBeLessThanOrEqual(100);
  expect(Math.abs(quantiles.p99 - 9_900)).toBeLessThanOrEqual(198);
  expect(quantiles).toMatchObject({ max: 10_000, last: 10_000, samples: 10_000 });
});

it('says nothing before the first sample, and takes a clock that is behind for no lag', () => {
  const histogram = new LagHistogram();
  expect(histogram.quantiles()).toBeNull();
  histogram.add(-5);
  expect(histogram.quantiles()).toMatchObject({ p50: 0, p99: 0, max: 0 });
});

it('is live and ready with reasons', () => {
  const health = new Health();
  expect(health.report()).toMatchObject({ live: true, ready: false, reasons: ['no stream was started yet'] });
  health.set('a', 'streaming');
  health.set('b', 'copying');
  expect(health.report()).toMatchObject({ live: true, ready: false, reasons: ['stream b: copying'] });
  health.set('b', 'streaming');
  expect(health.report()).toMatchObject({ live: true, ready: true, reasons: [] });
  health.set('a', 'failed', 'XC-5001');
  expect(health.report()).toMatchObject({ live: true, ready: false, reasons: ['stream a: failed, XC-5001'] });
  health.set('b', 'failed');
  expect(health.report().live).toBe(false);
});
