import { describe, expect, test } from 'vitest';
import { Health } from './health.ts';
import { judgeRetained, RetainedRate, retentionRule, RETENTION } from './retained-wal.ts';

const GIB = 2 ** 30;
const rule = { limitBytes: 100 * GIB, heldBytes: null, alarmAt: 0.5, alarmWithinMs: 3_600_000 };
const judge = (bytes: number, safeBytes: number | null, bytesPerSecond: number | null) =>
  judgeRetained({ bytes, safeBytes, bytesPerSecond }, rule);

describe('log that a slot holds back', () => {
  test.each([
    ['little of the server’s limit', 1 * GIB, 9 * GIB, 0, null],
    ['half of it', 5 * GIB, 5 * GIB, null, /5.0 GiB of log, of 10.0 GiB that max_slot_wal_keep_size allows$/],
    ['an hour is left, not less', 2 * GIB, 3_600 * 2 ** 20, 2 ** 20, null],
    ['less than an hour is left', 2 * GIB, 3_599 * 2 ** 20, 2 ** 20, /; 60 min are left/],
    ['a burst while next to nothing is held', 2 ** 20, GIB, 2 ** 30, null],
    ['over the limit', 5 * GIB, -1, 100, /; 0 s are left/],
    [
      'no limit of the server: half the disk’s headroom',
      50 * GIB,
      null,
      null,
      /of 100.0 GiB that the disk is given$/,
    ],
    ['no limit, and shrinking', 49 * GIB, null, -(2 ** 30), null],
  ])('%s', (_name, bytes, safeBytes, rate, alarm) => {
    const judged = judge(bytes, safeBytes, rate);
    if (alarm === null) expect(judged.alarm).toBeNull();
    else expect(judged.alarm).toMatch(alarm);
  });

  test('the time left is not known while nothing grows', () => {
    expect(judge(GIB, GIB, null).secondsLeft).toBeNull();
    expect(judge(GIB, GIB, 0).secondsLeft).toBeNull();
    expect(judge(GIB, GIB, 1_024)).toMatchObject({ secondsLeft: 2 ** 20, limitBytes: 2 * GIB });
  });

  test('a rule of the region comes before what is usual', () => {
    const region = {
      zone: 'eu',
      initialRole: 'primary' as const,
      postgres: { dsn: 'env:X', retainedWal: { alarmAt: 0.9 } },
    };
    expect(retentionRule(region)).toEqual({ ...RETENTION, alarmAt: 0.9 });
    expect(retentionRule(undefined)).toEqual(RETENTION);
  });

  test('the rate is that of the last measures', () => {
    const rate = new RetainedRate();
    expect(rate.add(0, 0)).toBeNull();
    expect(rate.add(10_000, 10_000)).toBe(1_000);
    for (let at = 2; at < 20; at++) rate.add(10_000, at * 10_000);
    expect(rate.add(10_000, 200_000)).toBeLessThan(10);
    expect(rate.add(10_000, 200_000)).toBeLessThan(10);
  });

  test('is a reason in /health while it lasts, and takes no readiness away', () => {
    const health = new Health();
    health.set('a', 'streaming');
    health.alarm('a', 'its slot holds back 5 GiB');
    expect(health.report()).toMatchObject({ ready: true, reasons: ['stream a: its slot holds back 5 GiB'] });
    health.alarm('a', null);
    expect(health.report()).toMatchObject({ ready: true, reasons: [] });
  });
});
