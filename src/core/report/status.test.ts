import { describe, expect, it } from 'vitest';
import { lsnOf } from '../change/lsn.ts';
import { config, streams } from '../plan/facts.fixture.ts';
import { slotName } from '../topology/link.ts';
import { parseCondition } from './condition.ts';
import { isFinding, linkStatuses } from './status.ts';
import type { JoiningLook, LinkLook, SlotHealth, StreamLook } from './look.ts';
import type { LinkStatus } from './link-status.ts';

const of = config({
  rules: [{ id: 'shop', tenants: ['acme'], tables: ['shop.*'], from: 'us', to: ['eu'], lagObjective: '5s' }],
});
const stream = streams(of)[0]!;
const LINK = 'shop:acme:us:eu';
const SLOT = slotName(stream.key);

const row: LinkLook = {
  slot: SLOT,
  state: 'streaming',
  why: null,
  takenOff: false,
  lastSuccessAt: '2026-01-01T00:00:00.000Z',
  verifiedAt: null,
  verdict: null,
  tables: [
    {
      table: 'shop.orders',
      copiedRows: 10,
      copiedBytes: 100,
      inserts: 3,
      updates: 2,
      deletes: 1,
      bytes: 50,
      conflicts: 1,
    },
    {
      table: 'shop.customers',
      copiedRows: 5,
      copiedBytes: 10,
      inserts: 0,
      updates: 0,
      deletes: 0,
      bytes: 0,
      conflicts: 0,
    },
  ],
};
const healthy: SlotHealth = {
  walStatus: 'reserved',
  active: true,
  confirmedFlush: '0/FA0',
  retainedBytes: 1_024,
  safeWalBytes: null,
};
const runner = { run: 'rn_1', host: 'h', pid: 7, since: '2026-01-01T00:00:00.000Z' };

interface Changes {
  readonly snapshotMs?: number;
  readonly joining?: readonly JoiningLook[];
  readonly row?: Partial<LinkLook> | null;
  readonly slot?: Partial<SlotHealth> | null;
  readonly position?: bigint;
  readonly target?: null;
  readonly source?: null;
}

const look = (changes: Changes = {}): LinkStatus => {
  const made: StreamLook = {
    stream,
    errors: changes.target === null ? ['eu did not answer'] : [],
    source:
      changes.source === null
        ? null
        : {
            currentLsn: lsnOf(5_000n),
            nowMs: 100_000,
            ...(changes.snapshotMs === undefined
              ? {}
              : { snapshots: new Map([['rn_', { ageMs: changes.snapshotMs, transactions: 7 }]]) }),
            slots: new Map(changes.slot === null ? [] : [[SLOT, { ...healthy, ...changes.slot }]]),
          },
    target:
      changes.target === null
        ? null
        : {
            initialised: true,
            ...(changes.joining ? { joining: new Map([[LINK, changes.joining]]) } : {}),
            links: new Map(changes.row === null ? [] : [[LINK, { ...row, ...changes.row }]]),
            checkpoints: new Map([
              [SLOT, { position: lsnOf(changes.position ?? 4_000n), caughtUpToMs: 98_000 }],
            ]),
            runners: new Map([[stream.key, runner]]),
          },
  };
  return linkStatuses([made], new Set([LINK]))[0]!;
};

describe('status of a link', () => {
  it('measures lag in time and bytes, and adds its tables up', () => {
    expect(look()).toMatchObject({
      state: 'streaming',
      lagMs: 2_000,
      lagBytes: 1_000,
      position: '0/FA0',
      slot: { name: SLOT, exists: true, active: true, retainedBytes: 1_024 },
      runner,
      rows: { copied: 15, inserts: 3, updates: 2, deletes: 1 },
      bytes: 160,
      conflicts: 1,
      slo: { verdict: 'met', objectiveMs: 5_000 },
    });
    expect(isFinding(look())).toBe(false);
  });

  it('alarms of a copy that reads under an old snapshot', () => {
    const copying = { row: { state: 'copying' as const } };
    expect(look({ ...copying, snapshotMs: 60_000 })).toMatchObject({
      snapshot: { ageMs: 60_000, transactions: 7, alarm: null },
    });
    const old = look({ ...copying, snapshotMs: 7_200_000 });
    expect(old.snapshot?.alarm).toContain('120 minutes');
    expect(isFinding(old)).toBe(true);
    expect(look({ snapshotMs: 7_200_000 }).snapshot).toBeNull();
  });

  it('names tables that join it', () => {
    const joining = [{ table: 'shop.late', slot: 'xcrepl_c_1', state: 'copying' as const }];
    expect(look({ joining }).joining).toEqual(joining);
    expect(look().joining).toEqual([]);
    expect(isFinding(look({ joining }))).toBe(false);
  });

  it('has no lag once the checkpoint is where the source is, however old its newest commit', () => {
    expect(look({ position: 5_000n })).toMatchObject({ lagMs: 0, lagBytes: 0 });
  });

  it('says of a link that was never run that it was not, and knows no lag of it', () => {
    expect(look({ row: null })).toMatchObject({
      state: 'never-run',
      lagMs: null,
      slot: null,
      slo: { verdict: 'unknown' },
    });
    expect(isFinding(look({ row: null }))).toBe(false);
  });

  it('names no runner when nobody is connected to the slot', () => {
    expect(look({ slot: { active: false } }).runner).toBeNull();
  });

  it('knows nothing of a server that did not answer, and says why', () => {
    expect(look({ target: null })).toMatchObject({ state: 'unknown', why: 'eu did not answer', lagMs: null });
    expect(look({ source: null })).toMatchObject({ state: 'streaming', lagMs: null, slot: null });
  });

  it('does not take a slot for moved that is at the checkpoint, or that somebody drains', () => {
    expect(isFinding(look({ slot: { active: false } }))).toBe(false);
    expect(isFinding(look({ slot: { confirmedFlush: '0/FA1' } }))).toBe(false);
  });

  it.each<[string, Changes]>([
    ['a lost slot', { slot: { walStatus: 'lost' } }],
    ['a missing slot', { slot: null }],
    [
      'a slot at rest that was moved past the checkpoint',
      { slot: { active: false, confirmedFlush: '0/FA1' } },
    ],
    ['an errored link', { row: { state: 'errored' } }],
    ['a difference found by verification', { row: { verdict: 'fail' } }],
    ['a copy that is not in time', { row: { state: 'copying' } }],
  ])('takes %s for a finding', (_, changes) => {
    expect(isFinding(look(changes))).toBe(true);
  });

  it('shows a stopped link as such', () => {
    expect(look({ row: { state: 'stopping', takenOff: false } }).state).toBe('stopping');
    expect(look({ row: { state: 'stopping', takenOff: true } }).state).toBe('stopped');
  });
});

describe('a condition', () => {
  it.each<[string, boolean]>([
    ['lag<5s', true],
    ['lag < 2s', false],
    ['lag<=2s', true],
    ['bytes<1KiB', true],
    ['bytes>1MiB', false],
    ['state=streaming', true],
    ['state=copying', false],
    ['slo=met', true],
  ])('%s is %s', (text, expected) => {
    expect(parseCondition(text).holds([look()])).toBe(expected);
  });

  it('does not hold for a link whose measure is not known, nor for no link at all', () => {
    expect(parseCondition('lag<5s').holds([look(), look({ row: null })])).toBe(false);
    expect(parseCondition('lag<5s').holds([])).toBe(false);
  });

  it.each(['lag', 'lag<5', 'lag<5MiB', 'bytes<5s', 'state<streaming', 'speed<5s'])(
    '%s is refused',
    (text) => {
      expect(() => parseCondition(text)).toThrow(expect.objectContaining({ code: 'XC-1305' }));
    },
  );
});
