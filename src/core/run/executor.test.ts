import { describe, expect, it } from 'vitest';
import { XcError } from '../errors/xc-error.ts';
import { config, facts, streams, wish } from '../plan/facts.fixture.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { Clock } from '../time/clock.ts';
import { Executor, type Execution } from './executor.ts';
import type { Journal, JournalEntry } from './journal.ts';
import type { StepRunner, StepRunners } from './step-runner.ts';

const of = config();
const plan = makePlan(facts(of), wish(of), { id: 'pl_1', nowMs: 0 });
const [stream] = streams(of);

/** Advances by a second each time that it is asked. */
const clock = (): Clock => {
  let nowMs = 0;
  return { nowMs: () => (nowMs += 1_000), sleep: () => Promise.resolve() };
};

/** The world that steps change; it outlives a run that is killed, as servers do. */
class World {
  readonly done: string[] = [];
  run = (step: Step): void => {
    if (!this.done.includes(step.id)) this.done.push(step.id);
  };
}

const runners = (run: (step: Step, signal: AbortSignal) => unknown): StepRunners => {
  const runner: StepRunner<Step> = {
    run: async (step, signal) => {
      await run(step, signal);
      return { ran: step.id };
    },
    verify: () => Promise.resolve([]),
  };
  return {
    'publish-tables': runner,
    'create-slot': runner,
    'copy-table': runner,
    'stream-changes': runner,
    'split-links': runner,
    'merge-links': runner,
    'move-links': runner,
    'remove-links': runner,
    'remove-tables': runner,
    verify: runner,
    'repair-rows': runner,
  };
};

class MemoryJournal implements Journal {
  readonly entries: JournalEntry[] = [];
  readonly #killAt: number;
  constructor(killAt = Infinity) {
    this.#killAt = killAt;
  }
  append(entry: JournalEntry): Promise<void> {
    if (this.entries.length >= this.#killAt) return Promise.reject(new Error('killed'));
    this.entries.push(entry);
    return Promise.resolve();
  }
}

const execute = (
  what: Plan,
  run: (step: Step, signal: AbortSignal) => unknown,
  journal: Journal = new MemoryJournal(),
  signal: AbortSignal = new AbortController().signal,
): Promise<Execution> =>
  new Executor('rn_1', what.id, { runners: runners(run), journal, clock: clock() }).execute(what, signal);

const told = (journal: MemoryJournal): string[] =>
  journal.entries.map((entry) => `${entry.step} ${entry.event}`);

describe('a run', () => {
  it('journals each step as started before it runs and as done after it', async () => {
    const journal = new MemoryJournal();
    const order: string[] = [];
    const ended = await execute(
      plan,
      (step) => order.push(`${step.id} ran after ${journal.entries.at(-1)?.event}`),
      journal,
    );
    expect(order).toEqual(plan.steps.map((step) => `${step.id} ran after started`));
    expect(told(journal)).toEqual(plan.steps.flatMap((step) => [`${step.id} started`, `${step.id} done`]));
    expect(journal.entries.map((entry) => entry.seq)).toEqual(
      plan.steps.flatMap((_, at) => [2 * at + 1, 2 * at + 2]),
    );
    expect(ended).toMatchObject({ errors: [], open: [], finishedStreams: [stream?.key] });
  });

  it('stops a stream at a step that fails, and says what was left', async () => {
    const journal = new MemoryJournal();
    const ended = await execute(
      plan,
      (step) => {
        if (step.id === 's4') throw new XcError('XC-6001', { subject: 'us' });
      },
      journal,
    );
    expect(ended.errors).toMatchObject([{ code: 'XC-6001' }]);
    expect(ended.open).toEqual(['s4', 's5', 's6']);
    expect(told(journal).slice(-2)).toEqual(['s4 started', 's4 failed']);
  });

  it('takes what is no typed error for a bug', async () => {
    const ended = await execute(plan, () => {
      throw new TypeError('x is undefined');
    });
    expect(ended.errors).toMatchObject([{ code: 'XC-9001' }]);
  });

  it('leaves other streams alone when one fails', async () => {
    const two = config({
      rules: [{ id: 'shop', tenants: ['*'], tables: ['shop.*'], from: 'us', to: ['eu'], dedicated: true }],
    });
    const both = makePlan(facts(two), wish(two), { id: 'pl_2', nowMs: 0 });
    const bad = both.steps[0]?.stream;
    const ended = await execute(both, (step) => {
      if (step.stream === bad) throw new XcError('XC-6001');
    });
    expect(ended.errors).toHaveLength(1);
    expect(ended.finishedStreams).toEqual([both.steps.map((step) => step.stream).find((key) => key !== bad)]);
  });

  it('journals an interruption, and starts no further step', async () => {
    const journal = new MemoryJournal();
    const controller = new AbortController();
    const ended = await execute(
      plan,
      (step, signal) => {
        if (step.id !== 's3') return;
        controller.abort(new DOMException('interrupted by SIGINT', 'AbortError'));
        signal.throwIfAborted();
      },
      journal,
      controller.signal,
    );
    expect(told(journal).slice(-2)).toEqual(['s3 started', 's3 interrupted']);
    expect(ended.errors).toEqual([]);
    expect(ended.open[0]).toBe('s3');
  });

  it('lets a step in hand finish when it can, and journals it as done', async () => {
    const journal = new MemoryJournal();
    const controller = new AbortController();
    await execute(
      plan,
      (step) => {
        if (step.id === 's1') controller.abort(new Error('stop'));
      },
      journal,
      controller.signal,
    );
    expect(told(journal)).toEqual(['s1 started', 's1 done']);
  });
});

describe('a run that is killed between any two journal writes', () => {
  const writes = plan.steps.length * 2;

  it.each(Array.from({ length: writes + 1 }, (_, at) => at))(
    'after %i writes, and started again',
    async (killAt) => {
      const world = new World();
      const killed = new MemoryJournal(killAt);
      const ending = await execute(plan, world.run, killed).then(
        () => 'ended',
        (error: unknown) => String(error),
      );
      expect(ending).toBe(killAt < writes ? 'Error: killed' : 'ended');
      // Nothing runs that is not in the journal: at most the step that was started last is done without its entry.
      const started = killed.entries.filter((entry) => entry.event === 'started').map((entry) => entry.step);
      expect(started).toEqual(world.done);

      const journal = new MemoryJournal();
      const ended = await execute(plan, world.run, journal);
      expect(ended.open).toEqual([]);
      expect(world.done).toEqual(plan.steps.map((step) => step.id));
    },
  );
});
