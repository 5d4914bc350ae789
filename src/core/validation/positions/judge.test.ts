import { describe, expect, it } from 'vitest';
import { lsnOf } from '../../change/lsn.ts';
import { parseHistory } from './history.ts';
import { judgePositions, mayStart, type Judgement } from './judge.ts';
import type { Positions, SlotSeen, SourceIdentity } from './positions.ts';

const slot: SlotSeen = {
  walStatus: 'reserved',
  invalidation: null,
  confirmedFlush: lsnOf(4_000n),
  restart: lsnOf(3_000n),
  active: false,
  plugin: 'pgoutput',
  database: 'shop',
};
const source: SourceIdentity = {
  systemIdentifier: '7',
  timeline: 1,
  history: null,
  database: 'shop',
  currentLsn: lsnOf(9_000n),
};

interface Changes extends Partial<Omit<Positions, 'seen' | 'source'>> {
  readonly seen?: Partial<SlotSeen> | null;
  readonly source?: Partial<SourceIdentity>;
}

const judge = ({ seen, source: changed, ...more }: Changes = {}): Judgement =>
  judgePositions({
    slot: 'xcrepl_s_1',
    known: { systemIdentifier: '7', timeline: 1 },
    checkpoint: lsnOf(4_000n),
    origin: null,
    published: true,
    source: { ...source, ...changed },
    seen: seen === null ? null : { ...slot, ...seen },
    ...more,
  });

describe('a stream may start', () => {
  it('where slot and checkpoint are the same', () => {
    expect(judge()).toMatchObject({ verdict: 'safe', reason: 'at-checkpoint', from: null, to: null });
  });

  it('where the slot is behind: what it gives again is named', () => {
    expect(judge({ seen: { confirmedFlush: lsnOf(3_500n) } })).toMatchObject({
      verdict: 'duplicate',
      reason: 'slot-behind',
      from: 3_500n,
      to: 4_000n,
    });
  });

  it('where a restored target still finds everything after its checkpoint', () => {
    const found = judge({ origin: lsnOf(4_500n) });
    expect(found).toMatchObject({ verdict: 'duplicate', from: 4_000n, to: 4_500n });
    expect(mayStart(found)).toBe(true);
  });

  const promoted = {
    timeline: 3,
    history: parseHistory('# none\n1\t0/1388\tno recovery target\n2\t0/1770\tx\n'),
  };

  it('on a promoted source that left the known timeline after the checkpoint, with its slot', () => {
    expect(judge({ source: promoted })).toMatchObject({ verdict: 'safe' });
    expect(judge({ source: promoted, checkpoint: lsnOf(5_000n) })).toMatchObject({ verdict: 'duplicate' });
  });

  it.each<[string, Changes, Partial<Judgement>]>([
    [
      'a source with another identity',
      { known: { systemIdentifier: '8', timeline: 1 } },
      { reason: 'other-source', from: lsnOf(4_000n), to: null },
    ],
    ['an older timeline', { known: { systemIdentifier: '7', timeline: 2 } }, { reason: 'other-timeline' }],
    [
      'a timeline that does not come from the known one',
      { source: { timeline: 3, history: parseHistory('2\t0/1388\tx') } },
      { reason: 'other-timeline' },
    ],
    [
      'a promoted source that left before the checkpoint: the target is ahead',
      { source: promoted, checkpoint: lsnOf(5_001n) },
      { reason: 'source-behind', from: lsnOf(5_000n), to: lsnOf(5_001n) },
    ],
    [
      'a promoted source without the slot',
      { source: promoted, seen: null },
      { reason: 'promoted-without-slot', from: lsnOf(4_000n), to: lsnOf(9_000n) },
    ],
    [
      'a source whose log ends before the checkpoint',
      { source: { currentLsn: lsnOf(3_999n) } },
      { reason: 'source-behind', from: lsnOf(3_999n), to: lsnOf(4_000n) },
    ],
    [
      'a missing checkpoint',
      { checkpoint: null, origin: lsnOf(1n) },
      { reason: 'checkpoint-missing', from: lsnOf(1n), to: lsnOf(4_000n) },
    ],
    ['a missing slot', { seen: null }, { reason: 'slot-missing', from: lsnOf(4_000n), to: lsnOf(9_000n) }],
    ['a slot of another plugin', { seen: { plugin: 'test_decoding' } }, { reason: 'slot-foreign' }],
    ['a slot of another database', { seen: { database: 'other' } }, { reason: 'slot-foreign' }],
    ['a slot that lost its log', { seen: { walStatus: 'lost' } }, { reason: 'slot-lost' }],
    ['an invalidated slot', { seen: { invalidation: 'idle_timeout' } }, { reason: 'slot-lost' }],
    ['dropped publications', { published: false }, { reason: 'publication-missing' }],
    [
      'a slot past the checkpoint',
      { seen: { confirmedFlush: lsnOf(4_001n) } },
      { reason: 'slot-ahead', from: lsnOf(4_000n), to: lsnOf(4_001n) },
    ],
    [
      'a slot past the checkpoint, though not past what the origin remembers',
      { seen: { confirmedFlush: lsnOf(4_001n) }, origin: lsnOf(5_000n) },
      { reason: 'slot-ahead' },
    ],
  ])('not at %s', (_, changes, expected) => {
    const found = judge(changes);
    expect(found).toMatchObject({ verdict: 'gap', ...expected });
    expect(mayStart(found)).toBe(false);
  });

  it('not where the history between two timelines cannot be read', () => {
    const found = judge({ source: { timeline: 2 } });
    expect(found).toMatchObject({ verdict: 'unknown', reason: 'history-unknown' });
    expect(mayStart(found)).toBe(false);
  });

  it('not at a slot made anew by hand, and says that it may have been', () => {
    const anew = { confirmedFlush: lsnOf(8_000n), restart: lsnOf(7_900n) };
    expect(judge({ seen: anew }).why).toContain('made anew');
    expect(judge({ seen: { confirmedFlush: lsnOf(8_000n) } }).why).not.toContain('made anew');
  });
});
