import { describe, expect, it } from 'vitest';
import type { Clock } from '../time/clock.ts';
import { type Patience, retried } from './patience.ts';
import { answerError, preconditionFailed, unreachable } from './store-errors.ts';

/** A clock that a wait moves on at once, and that writes each wait down. */
const stepped = (): { clock: Clock; waits: number[] } => {
  const waits: number[] = [];
  let now = Date.parse('2026-03-01T00:00:00Z');
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    waits.push(ms);
    now += ms;
    return Promise.resolve();
  };
  return { clock: { nowMs: () => now, sleep }, waits };
};

const patient = (): Patience & { readonly waits: number[]; readonly stop: AbortController } => {
  const stop = new AbortController();
  return { ...stepped(), signal: stop.signal, attempts: 4, firstWaitMs: 100, stop };
};

const answer = (status: number, retryAfter: string | undefined, nowMs: number) =>
  answerError({ place: 's3:b', subject: 'k', status, reason: '', retryAfter, nowMs });

const ours = (): Promise<string> => Promise.resolve('ours');
const others = (): Promise<null> => Promise.resolve(null);

/** Fails with these, one after the other, then answers. */
const failing = (errors: readonly Error[]) => {
  let calls = 0;
  return {
    work: (): Promise<string> => {
      const error = errors[(calls += 1) - 1];
      return error === undefined ? Promise.resolve('done') : Promise.reject(error);
    },
    calls: () => calls,
  };
};

describe('requests that are asked again', () => {
  it('waits longer after each failure, and ends', async () => {
    const patience = patient();
    const cut = unreachable('s3:b', 'k', new Error('cut'));
    const always = failing(Array<Error>(9).fill(cut));
    await expect(retried(always.work, patience)).rejects.toBe(cut);
    expect(patience.waits).toEqual([100, 200, 400]);
    expect(always.calls()).toBe(4);
  });

  it('waits as long as the store asks for, in seconds or until a time', async () => {
    const patience = patient();
    const now = patience.clock.nowMs();
    const at = new Date(now + 2000 + 9000).toUTCString();
    const busy = failing([answer(503, '2', now), answer(429, at, now + 2000)]);
    expect(await retried(busy.work, patience)).toBe('done');
    expect(patience.waits).toEqual([2000, 9000]);
  });

  it('leaves a wait without end to the caller, who learns how long it is', async () => {
    const patience = patient();
    const asked = failing([answer(503, '86400', patience.clock.nowMs())]);
    await expect(retried(asked.work, patience)).rejects.toMatchObject({
      facts: { retryAfterMs: 86_400_000 },
    });
    expect(patience.waits).toEqual([]);
  });

  it('asks nothing again that would fail again', async () => {
    const patience = patient();
    for (const status of [400, 401, 403, 404, 409, 412, 507]) {
      const refused = failing([answer(status, undefined, 0)]);
      await expect(retried(refused.work, patience)).rejects.toMatchObject({ facts: { status } });
      expect(refused.calls()).toBe(1);
    }
  });

  it('ends with the signal, also in the middle of a request that is never answered', async () => {
    const patience = patient();
    const never = retried(() => new Promise<string>(() => undefined), patience);
    patience.stop.abort(new Error('interrupted'));
    await expect(never).rejects.toThrow('interrupted');
    const begun = failing([]);
    await expect(retried(begun.work, patience)).rejects.toThrow('interrupted');
    expect(begun.calls()).toBe(0);
  });

  it('knows its own work again when the answer to it was lost, and nobody else’s', async () => {
    const cut = unreachable('s3:b', 'k', new Error('cut'));
    const met = preconditionFailed('s3:b', 'k', 'it is there already');
    expect(await retried(failing([cut, met]).work, patient(), ours)).toBe('ours');
    await expect(retried(failing([cut, met]).work, patient(), others)).rejects.toBe(met);
    await expect(retried(failing([met]).work, patient(), ours)).rejects.toBe(met);
  });
});

describe('a refusal', () => {
  it('is about the clock where the store says another time', () => {
    const date = new Date(0).toUTCString();
    const asked = { place: 'azure:c', subject: 'k', status: 403, reason: 'AuthenticationFailed', date };
    expect(answerError({ ...asked, nowMs: 14 * 60_000 }).code).toBe('XC-4101');
    expect(answerError({ ...asked, nowMs: 16 * 60_000 }).code).toBe('XC-4102');
    expect(answerError({ ...asked, status: 404, nowMs: 16 * 60_000 }).code).toBe('XC-5401');
  });
});
