import { expect, describe, it } from 'vitest';
import { XcError } from '../errors/xc-error.ts';
import type { Holding } from '../replication/holding.ts';
import { rejectOn, World } from './session.fixture.ts';

const away = (): never => {
  throw new XcError('XC-6001', {});
};

describe('a session that stands by', () => {
  const byAnother: Holding = { state: 'held', by: 'run rn_0 on host h, pid 7' };
  const standby = { limitMs: null };

  it('holds nothing while one of its streams is worked on, and then takes all of them', async () => {
    const world = new World();
    let looks = 0;
    world.holding = (at) => (at === 1 && looks++ < 2 ? byAnother : { state: 'free' });
    world.sleep = () => {
      expect(world.log).toEqual([]);
      expect(world.health.report()).toMatchObject({ live: true, ready: false });
      expect(world.health.report().reasons.join()).toContain(
        'waiting, run rn_0 on host h, pid 7 works on it',
      );
      return Promise.resolve();
    };
    await world.run({ standby });
    expect(world.log).toEqual(['acquire 0', 'acquire 1', 'plan', 'release 0', 'release 1']);
  });

  it('waits again when another one was quicker, and gives back what it has', async () => {
    const world = new World();
    world.lockedAt = 1;
    world.sleep = () => {
      expect(world.log).toEqual(['acquire 0', 'release 0', 'release 1']);
      world.lockedAt = -1;
      return Promise.resolve();
    };
    await world.run({ standby });
    expect(world.log.slice(3)).toEqual(['acquire 0', 'acquire 1', 'plan', 'release 0', 'release 1']);
  });

  it('takes over from one that is silent, and ends with what it may not do', async () => {
    const world = new World();
    world.holding = () => ({ state: 'silent', by: 'run rn_0', silentMs: 31_000 });
    await world.run({ standby });
    expect(world.log).toContain('acquire 1');
    const refused = new World();
    refused.holding = () => {
      throw new XcError('XC-7012', {});
    };
    await expect(refused.run({ standby })).rejects.toMatchObject({ code: 'XC-7012' });
  });

  it('waits for a target that was there and went away, and not for one that never answered', async () => {
    const never = new World();
    never.holding = away;
    await expect(never.run({ standby })).rejects.toMatchObject({ code: 'XC-6001' });
    const world = new World();
    const answers = [byAnother, byAnother, null, null];
    world.holding = () => {
      const answer = answers.shift();
      return answer === null ? away() : (answer ?? { state: 'free' });
    };
    world.sleep = () => Promise.resolve();
    await world.run({ standby });
    expect(world.log).toContain('plan');
  });

  it('is interrupted at once, and ends in good order when its time is over', async () => {
    const world = new World();
    world.holding = () => byAnother;
    world.sleep = (signal) => {
      world.over.abort(new DOMException('SIGTERM', 'AbortError'));
      return rejectOn(signal);
    };
    await expect(world.run({ standby })).rejects.toThrow('SIGTERM');
    const short = new World();
    short.holding = () => byAnother;
    let sleeps = 0;
    short.sleep = (signal) => (sleeps++ === 0 ? Promise.resolve() : rejectOn(signal));
    expect(await short.run({ standby, maxDurationMs: 1 })).toMatchObject({ plan: null, errors: [] });
    expect(short.log).toEqual(['release 0', 'release 1']);
  });
});
