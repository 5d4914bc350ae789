import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../../providers/memory/memory-store.ts';
import { unreachable } from '../objects/store-errors.ts';
import { changed, TestClock, text } from './mirror.fixture.ts';
import { LEASE_KEY, LEASE_MS, takeLease, type LeaseHolder, type LeasePorts } from './lease.ts';

const holder = (run: string): LeaseHolder => ({ host: 'here', pid: 1, identity: `1@${run}`, run });

/** Time that only a test moves: sleepers wake when it has passed. */
class SteppedClock extends TestClock {
  readonly #sleepers: { readonly untilMs: number; readonly wake: () => void }[] = [];

  override async sleep(ms: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((wake, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
      this.#sleepers.push({ untilMs: this.nowMs() + ms, wake });
    });
  }

  async step(ms: number): Promise<void> {
    this.pass(ms);
    for (const { untilMs, wake } of this.#sleepers) if (untilMs <= this.nowMs()) wake();
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
  }
}

const portsOf = (clock: TestClock, more: Partial<LeasePorts> = {}): LeasePorts => ({
  clock,
  signal: new AbortController().signal,
  isGone: async () => false,
  patienceMs: 0,
  ...more,
});

describe('a lease', () => {
  test('is one holder’s, who is named to the others, until it is given back', async () => {
    const clock = new TestClock();
    const store = new MemoryStore(clock);
    const stepped = new SteppedClock();
    const first = await takeLease(store, holder('rn_1'), portsOf(stepped));
    await expect(takeLease(store, holder('rn_2'), portsOf(clock))).rejects.toMatchObject({
      code: 'XC-7002',
      facts: { run: 'rn_1', pid: 1, host: 'here' },
    });
    await first[Symbol.asyncDispose]();
    expect(await store.head(LEASE_KEY)).toBeNull();
    const second = await takeLease(store, holder('rn_2'), portsOf(stepped));
    await second[Symbol.asyncDispose]();
  });

  test('of a dead process is taken over at once, of a silent host after its end', async () => {
    const clock = new TestClock();
    const store = new MemoryStore(clock);
    const taken = await takeLease(store, holder('dead'), portsOf(new SteppedClock()));
    const after = await takeLease(
      store,
      holder('rn_2'),
      portsOf(new SteppedClock(), { isGone: async () => true }),
    );
    expect((await readHolder(store)).run).toBe('rn_2');
    // The dead one comes back to life and takes nothing away.
    await taken[Symbol.asyncDispose]();
    expect((await readHolder(store)).run).toBe('rn_2');
    clock.pass(LEASE_MS + 1);
    const third = await takeLease(store, holder('rn_3'), portsOf(clock, { clock: late(clock) }));
    expect((await readHolder(store)).run).toBe('rn_3');
    await third[Symbol.asyncDispose]();
    await after[Symbol.asyncDispose]();
  });

  test('is renewed while its holder lives, and waited for', async () => {
    const clock = new SteppedClock();
    const store = new MemoryStore(clock);
    const first = await takeLease(store, holder('rn_1'), portsOf(clock));
    for (let round = 0; round < 6; round += 1) await clock.step(LEASE_MS / 3);
    expect(Date.parse((await readHolder(store)).expiresAt)).toBeGreaterThan(clock.nowMs());
    expect(first.signal.aborted).toBe(false);
    const waiting = takeLease(store, holder('rn_2'), portsOf(clock, { patienceMs: LEASE_MS }));
    await clock.step(1_000);
    await first[Symbol.asyncDispose]();
    await clock.step(1_000);
    await (await waiting)[Symbol.asyncDispose]();
  });

  test('that somebody took, or that could not be renewed in time, stops its holder', async () => {
    const clock = new SteppedClock();
    const store = new MemoryStore(clock);
    const stolen = await takeLease(store, holder('rn_1'), portsOf(clock));
    await store.write(LEASE_KEY, text('{}'));
    await clock.step(LEASE_MS / 3);
    expect(stolen.signal.reason).toMatchObject({ code: 'XC-6130' });
    await stolen[Symbol.asyncDispose]();

    let broken = false;
    const frail = changed(new MemoryStore(clock), {
      write: async (...given) => {
        if (broken) throw unreachable('memory:', LEASE_KEY, new Error('cut'));
        return await store.write(...given);
      },
      head: async (key) => await store.head(key),
      remove: async (key, when) => await store.remove(key, when),
    });
    await store.remove(LEASE_KEY);
    const cut = await takeLease(frail, holder('rn_2'), portsOf(clock));
    broken = true;
    await clock.step(LEASE_MS / 3);
    expect(cut.signal.aborted).toBe(false);
    await clock.step(LEASE_MS / 3);
    await clock.step(LEASE_MS / 3);
    expect(cut.signal.reason).toMatchObject({ code: 'XC-6130' });
    await cut[Symbol.asyncDispose]();
  });
});

const late = (clock: TestClock): TestClock => {
  const other = new SteppedClock();
  other.pass(clock.nowMs() - other.nowMs());
  return other;
};

const readHolder = async (store: MemoryStore): Promise<{ run: string; expiresAt: string }> => {
  let found = '';
  for await (const piece of store.read(LEASE_KEY)) found += Buffer.from(piece).toString();
  return JSON.parse(found) as { run: string; expiresAt: string };
};
