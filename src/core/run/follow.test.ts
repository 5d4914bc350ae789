import { describe, expect, it } from 'vitest';
import { lsnOf } from '../change/lsn.ts';
import { XcError } from '../errors/xc-error.ts';
import { config, facts, linkRow, running, streams, wish, type Changes } from '../plan/facts.fixture.ts';
import { makePlan } from '../plan/make-plan.ts';
import type { Plan, Step } from '../plan/plan.ts';
import type { StreamEngine } from '../replication/engine.ts';
import { follow, type FollowEnd } from './follow.ts';
import type { FollowPorts } from './follow-ports.ts';

const of = config();
const stream = streams(of)[0]!;
const [ACME, BETA] = ['shop:acme:us:eu', 'shop:beta:us:eu'] as const;
const alone = running(stream, [ACME], ['acme']);
const both = running(stream, [ACME, BETA], ['acme', 'beta']);

/** A stream whose servers the test changes by hand; steps change them as the engine would. */
class Fake implements FollowPorts {
  readonly log: string[] = [];
  readonly warnings: string[] = [];
  readonly over = new AbortController();
  facts: Changes;
  wanted: ReadonlySet<string> = new Set([ACME]);
  state = 0;
  pendingDrops: string[] = [];
  fail: ((step: Step) => XcError | null) | null = null;
  failMain: ((error: Error) => void) | null = null;
  /** Called at each look of the loop: the test's script. */
  script: (() => void)[] = [];
  streamingNow = false;
  nowMs = 0;

  constructor(changes: Changes) {
    this.facts = changes;
  }

  readonly clock = {
    nowMs: () => this.nowMs,
    sleep: async (ms: number, signal: AbortSignal) => {
      this.nowMs += ms;
      // Lets everything that is under way settle, so that the script sees its effects.
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      const next = this.script.shift();
      if (next) next();
      else this.over.abort(new Error('over'));
      signal.throwIfAborted();
    },
  };

  readonly engine: Pick<StreamEngine, 'streamChanges' | 'dropLink'> = {
    streamChanges: (_step, { signal }) =>
      new Promise((resolve, reject) => {
        this.streamingNow = true;
        this.failMain = reject;
        signal.addEventListener('abort', () => {
          this.streamingNow = false;
          resolve({
            position: lsnOf(1n),
            changes: 0,
            transactions: 0,
            conflicts: 0,
            fallbacks: 0,
            errored: [],
          });
        });
      }),
    dropLink: (link) => {
      this.log.push(`drop ${link}${this.streamingNow ? ' WHILE STREAMING' : ''}`);
      this.pendingDrops = [];
      return Promise.resolve(link === ACME ? [`slot xcrepl_s_${stream.key} on us`] : ['link']);
    },
  };

  readonly watch = {
    state: () => Promise.resolve(`${this.state}`),
    dropping: () => Promise.resolve(this.pendingDrops),
  };

  plan(without: ReadonlySet<string>): Promise<Plan> {
    const selected = new Set([...this.wanted].filter((link) => !without.has(link)));
    return Promise.resolve(makePlan(facts(of, this.facts), wish(of, { selected }), { id: 'pl_1', nowMs: 0 }));
  }

  step(step: Step): ReturnType<FollowPorts['step']> {
    const failure = this.fail?.(step) ?? null;
    this.log.push(`${step.kind}${this.streamingNow ? ' beside' : ' standing'}${failure ? ' failed' : ''}`);
    if (failure)
      return Promise.resolve({
        done: false,
        error: { code: failure.code, message: failure.message, next: '' },
      });
    if (step.kind === 'merge-links' || step.kind === 'remove-links')
      this.facts = step.kind === 'merge-links' ? both : alone;
    const errored = step.kind === 'stream-changes' ? this.errored : [];
    return Promise.resolve({ done: true, result: errored.length === 0 ? {} : { errored } });
  }

  streaming(_step: Step, ended: object | null): Promise<void> {
    this.log.push(ended ? 'stream stands' : 'stream goes');
    return Promise.resolve();
  }

  /** Links that fail whenever their own slot is streamed. */
  errored: string[] = [];

  warn(text: string): void {
    this.warnings.push(text);
  }

  run(...script: (() => void)[]): Promise<FollowEnd> {
    this.script = script;
    return follow(stream.key, this, this.over.signal);
  }

  /** Something changed, and the loop sees it at its next look. */
  change(by: () => void): () => void {
    return () => {
      this.state += 1;
      by();
    };
  }
}

const idle = (): void => {};

describe('following', () => {
  it('streams until it is told to stop, and ends in good order', async () => {
    const fake = new Fake(alone);
    await expect(fake.run(idle, idle)).resolves.toEqual({ error: null, emptied: false });
    expect(fake.log).toEqual(['stream goes', 'stream stands']);
  });

  it('copies a link that joins beside the main stream, and stops it only to merge and compare', async () => {
    const fake = new Fake(alone);
    await fake.run(
      idle,
      fake.change(() => (fake.wanted = new Set([ACME, BETA]))),
      idle,
      idle,
    );
    expect(fake.log).toEqual([
      'stream goes',
      'publish-tables beside',
      'create-slot beside',
      'copy-table beside',
      'copy-table beside',
      'stream-changes beside',
      'stream stands',
      'merge-links standing',
      'verify standing',
      'stream goes',
      'stream stands',
    ]);
  });

  it('takes a stopping link off with the stream standing, and goes on', async () => {
    const fake = new Fake(both);
    fake.wanted = new Set([ACME, BETA]);
    await fake.run(
      idle,
      fake.change(() => {
        fake.facts = {
          ...both,
          target: {
            ...both.target,
            links: [linkRow(stream, ACME), linkRow(stream, BETA, { state: 'stopping' })],
          },
        };
        fake.wanted = new Set([ACME]);
      }),
      idle,
    );
    expect(fake.log).toEqual([
      'stream goes',
      'publish-tables beside',
      'stream stands',
      'remove-links standing',
      'stream goes',
      'stream stands',
    ]);
  });

  it('warns when a change cannot be planned, tries it again later, and goes on streaming meanwhile', async () => {
    const fake = new Fake(alone);
    let refused = 0;
    const plan = fake.plan.bind(fake);
    fake.plan = (without) => {
      if (fake.state === 1 && refused < 2) {
        refused += 1;
        return Promise.reject(new XcError('XC-2001', { subject: 'beta: shop.orders.note' }));
      }
      return plan(without);
    };
    await fake.run(
      idle,
      fake.change(() => (fake.wanted = new Set([ACME, BETA]))),
      ...Array.from({ length: 12 }, () => idle),
    );
    expect(fake.warnings).toHaveLength(2);
    expect(fake.warnings[0]).toContain('XC-2001');
    expect(fake.log.filter((line) => line === 'merge-links standing')).toHaveLength(1);
  });

  it('tries a link that an error holds again later, and stops the main stream for nothing', async () => {
    const fake = new Fake(both);
    fake.wanted = new Set([ACME, BETA]);
    fake.errored = [BETA];
    const own = { ...both.source.slots![0]!, name: 'xcrepl_l_1' };
    await fake.run(
      idle,
      fake.change(() => {
        fake.facts = {
          source: { ...both.source, slots: [...both.source.slots!, own] },
          target: {
            ...both.target,
            links: [linkRow(stream, ACME), linkRow(stream, BETA, { state: 'errored', slot: own.name })],
            checkpoints: [...both.target.checkpoints!, { ...both.target.checkpoints![0]!, slot: own.name }],
          },
        };
      }),
      ...Array.from({ length: 9 }, () => idle),
    );
    expect(fake.log.filter((line) => line === 'stream-changes beside').length).toBeGreaterThan(1);
    expect(fake.log.filter((line) => line === 'stream stands')).toHaveLength(1);
    expect(fake.warnings[0]).toContain(`still errored: ${BETA}`);
  });

  it('says at the end what could not be carried out', async () => {
    const fake = new Fake(alone);
    fake.fail = (step) => (step.kind === 'copy-table' ? new XcError('XC-6001') : null);
    const end = await fake.run(
      idle,
      fake.change(() => (fake.wanted = new Set([ACME, BETA]))),
      idle,
    );
    expect(end.error).toMatchObject({ code: 'XC-6001' });
    expect(fake.log.filter((line) => line === 'stream stands')).toHaveLength(1);
  });

  it('drops a link when an operator asks, and does not copy it again by itself', async () => {
    const fake = new Fake(both);
    fake.wanted = new Set([ACME, BETA]);
    await fake.run(
      idle,
      fake.change(() => {
        fake.pendingDrops = [BETA];
        fake.facts = alone;
      }),
      fake.change(idle),
      idle,
    );
    expect(fake.log).toEqual([
      'stream goes',
      'stream stands',
      `drop ${BETA}`,
      'stream goes',
      'stream stands',
    ]);
  });

  it('ends when the last link was dropped, and the slot with it', async () => {
    const fake = new Fake(alone);
    const end = await fake.run(
      idle,
      fake.change(() => (fake.pendingDrops = [ACME])),
      idle,
    );
    expect(end.emptied).toBe(true);
    expect(fake.log.at(-1)).toBe(`drop ${ACME}`);
  });

  it('fails when the main stream fails', async () => {
    const fake = new Fake(alone);
    const lost = new XcError('XC-5001');
    await expect(fake.run(idle, () => fake.failMain?.(lost), idle, idle)).rejects.toBe(lost);
  });
});
