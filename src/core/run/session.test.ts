import { describe, expect, it } from 'vitest';
import { lsnOf } from '../change/lsn.ts';
import { XcError } from '../errors/xc-error.ts';
import type { Health } from '../metrics/health.ts';
import { both, rejectOn, World } from './session.fixture.ts';

const nothing = (): void => undefined;

describe('a session', () => {
  it('says that it was taken over, whatever it made of what it saw then', async () => {
    const world = new World();
    world.onConfirm = (at) => (at === 1 ? Promise.reject(new XcError('XC-7010', {})) : Promise.resolve());
    await expect(world.run()).rejects.toMatchObject({ code: 'XC-7010' });
    world.onPlan = () => Promise.reject(new XcError('XC-5001', {}));
    await expect(world.run()).rejects.toMatchObject({ code: 'XC-7010' });
    world.onConfirm = () => Promise.reject(new XcError('XC-6001', {}));
    await expect(world.run()).rejects.toMatchObject({ code: 'XC-5001' });
    expect(world.entries).toEqual([]);
  });

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
    let wake: () => void = nothing;
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
