import { describe, expect, it } from 'vitest';
import { streamsOf } from '../../topology/link.ts';
import type { ObservedServer, ObservedSlot } from '../observed-server.ts';
import type { Finding } from '../finding.ts';
import type { ServerContext } from './server/context.ts';
import { ownedNames } from './server/owned.ts';
import { sourceAccess, targetAccess } from './server/privileges.ts';
import { checkClocks, checkPair, checkServer } from './servers.ts';
import { links } from './table/sample.ts';

const GIB = 2 ** 30;

/** A server as it should be, for a source as for a target. */
const observed = (more: Partial<ObservedServer> = {}): ObservedServer => ({
  region: 'us',
  database: 'app',
  address: 'app@db:5432/app',
  isLocal: false,
  version: 180_004,
  inRecovery: false,
  systemIdentifier: '1',
  timeline: 1,
  tls: { used: true, version: 'TLSv1.3' },
  settings: {
    walLevel: 'logical',
    maxReplicationSlots: 10,
    maxWalSenders: 10,
    maxActiveReplicationOrigins: 10,
    maxSlotWalKeepBytes: 64 * GIB,
    idleSlotTimeoutMs: null,
    synchronizedStandbySlots: [],
    trackCommitTimestamp: true,
  },
  used: { slots: 0, senders: 0, origins: 0 },
  slots: [],
  publications: [],
  origins: [],
  standbys: [],
  privileges: {
    role: 'app',
    superuser: false,
    replication: true,
    bypassRowSecurity: false,
    createInDatabase: true,
    setReplicationRole: true,
    deniedOriginFunctions: [],
  },
  extensions: new Map([['plpgsql', '1.0']]),
  walDirectoryBytes: GIB,
  initialised: true,
  clock: { offsetMs: 0, uncertaintyMs: 1 },
  ...more,
});

const settings = (more: Partial<ObservedServer['settings']>) => ({
  settings: { ...observed().settings, ...more },
});
const privileges = (more: Partial<ObservedServer['privileges']>) => ({
  privileges: { ...observed().privileges, ...more },
});

const STREAMS = streamsOf('test', links(), { us: 'app', eu: 'app' });
const KEY = STREAMS[0]?.key ?? '';

const context = (
  server: Partial<ObservedServer>,
  side: 'source' | 'target' | 'neither' = 'source',
): ServerContext => ({
  server: observed(server),
  isSource: side === 'source',
  isTarget: side === 'target',
  streamsFrom: side === 'source' ? 1 : 0,
  streamsTo: side === 'target' ? 1 : 0,
  owned: ownedNames(side === 'target' ? 'eu' : 'us', STREAMS),
});

const brief = (findings: readonly Finding[]): string[] =>
  findings
    .filter((row) => row.verdict !== 'pass')
    .map((row) => [row.check, row.verdict, row.severity, row.code ?? ''].join(' ').trim());

const found = (server: Partial<ObservedServer>, side?: 'source' | 'target' | 'neither'): string[] =>
  brief(checkServer(context(server, side))).filter((row) => row !== 'wal-disk unknown info');

const slot = (more: Partial<ObservedSlot> = {}): ObservedSlot => ({
  name: 'other',
  type: 'logical',
  database: 'app',
  active: true,
  temporary: false,
  walStatus: 'reserved',
  retainedBytes: 4096,
  ...more,
});

describe('one server', () => {
  it('passes one that is as it should be, and says what it saw', () => {
    expect(found({})).toEqual([]);
    expect(found({}, 'target')).toEqual([]);
    expect(checkServer(context({})).every((row) => row.seen !== '')).toBe(true);
  });

  it.each<[string, Partial<ObservedServer>, string[]]>([
    ['PostgreSQL 14', { version: 140_012 }, ['version fail block XC-5303']],
    ['a version that was not tested', { version: 190_001 }, ['version unknown warn XC-5303']],
    ['15.12', { version: 150_012 }, ['version fail warn XC-5303']],
    ['15.13', { version: 150_013 }, []],
    ['16.8', { version: 160_008 }, ['version fail warn XC-5303']],
    ['16.9', { version: 160_009 }, []],
    ['17.4', { version: 170_004 }, ['version fail warn XC-5303']],
    ['17.5', { version: 170_005 }, []],
    ['a standby', { inRecovery: true }, ['writable fail block XC-5308']],
    ['no TLS', { tls: { used: false, version: null } }, ['tls fail warn XC-5307']],
    ['no TLS on this machine', { tls: { used: false, version: null }, isLocal: true }, []],
    ['wal_level replica', settings({ walLevel: 'replica' }), ['wal-level fail block XC-5300']],
    [
      'no slot free',
      { used: { slots: 10, senders: 0, origins: 0 } },
      ['replication-slots fail block XC-5301'],
    ],
    [
      'one slot free',
      { used: { slots: 9, senders: 0, origins: 0 } },
      ['replication-slots fail warn XC-5301'],
    ],
    ['two slots free', { used: { slots: 8, senders: 0, origins: 0 } }, []],
    ['no sender free', { used: { slots: 0, senders: 10, origins: 0 } }, ['wal-senders fail block XC-5301']],
    ['no limit for kept log', settings({ maxSlotWalKeepBytes: null }), ['slot-wal-limit fail warn XC-5304']],
    ['a small limit', settings({ maxSlotWalKeepBytes: GIB / 2 }), ['slot-wal-limit fail warn XC-5304']],
    ['an idle timeout', settings({ idleSlotTimeoutMs: 60_000 }), ['idle-slot-timeout fail warn XC-5304']],
    ['no right to list pg_wal', { walDirectoryBytes: null }, ['wal-disk unknown info XC-5340']],
    ['a lost slot of others', { slots: [slot({ walStatus: 'lost' })] }, ['slot-health fail warn XC-5001']],
    [
      'a slot about to be lost',
      { slots: [slot({ walStatus: 'unreserved' })] },
      ['slot-health fail warn XC-5304'],
    ],
    ['a healthy slot', { slots: [slot()] }, []],
    ['no REPLICATION', privileges({ replication: false }), ['privileges fail block XC-4002']],
    ['no CREATE', privileges({ createInDatabase: false }), ['privileges fail block XC-4002']],
    [
      'standbys that nobody waits for',
      { standbys: ['slot s1'] },
      ['synchronized-standbys fail warn XC-5305'],
    ],
    [
      'standbys that slots wait for',
      { standbys: ['slot s1'], ...settings({ synchronizedStandbySlots: ['s1'] }) },
      [],
    ],
    [
      'standbys before 17',
      { standbys: ['pid 7'], ...settings({ synchronizedStandbySlots: null }) },
      ['synchronized-standbys fail warn XC-5305'],
    ],
    [
      'no commit timestamps',
      settings({ trackCommitTimestamp: false }),
      ['commit-timestamps fail info XC-5300'],
    ],
  ])('judges a source with %s', (_name, server, expected) => {
    expect(found(server)).toEqual(expected);
  });

  it.each<[string, Partial<ObservedServer>, string[]]>([
    [
      'no origin free',
      { used: { slots: 0, senders: 0, origins: 10 } },
      ['replication-origins fail block XC-5301'],
    ],
    [
      'no origin free before 18',
      {
        used: { slots: 0, senders: 0, origins: 4 },
        ...settings({ maxActiveReplicationOrigins: null, maxReplicationSlots: 4 }),
      },
      ['replication-origins fail block XC-5301'],
    ],
    ['no SET right', privileges({ setReplicationRole: false }), ['privileges fail block XC-4002']],
    ['no origin functions', privileges({ deniedOriginFunctions: ['f()'] }), ['privileges fail warn XC-4002']],
    ['no CREATE, but the schema', privileges({ createInDatabase: false }), []],
    [
      'neither CREATE nor the schema',
      { initialised: false, ...privileges({ createInDatabase: false }) },
      ['privileges fail block XC-4002', 'initialised fail info'],
    ],
    ['wal_level replica', settings({ walLevel: 'replica' }), []],
  ])('judges a target with %s', (_name, server, expected) => {
    expect(found(server, 'target')).toEqual(expected);
  });

  it('counts the slots that our streams have already', () => {
    const server = { used: { slots: 9, senders: 1, origins: 0 }, slots: [slot({ name: `xcrepl_s_${KEY}` })] };
    expect(found(server)).toEqual([]);
  });

  it('blocks on the lost slot of a configured stream', () => {
    expect(found({ slots: [slot({ name: `xcrepl_s_${KEY}`, walStatus: 'lost' })] })).toEqual([
      'slot-health fail block XC-5001',
    ]);
  });

  it('names what no stream owns, and nothing else', () => {
    const rows = checkServer(
      context({
        slots: [
          slot({ name: 'xcrepl_s_0000000000', active: false }),
          slot({ name: `xcrepl_s_${KEY}` }),
          slot({ name: `xcrepl_c_${KEY}_run1` }),
          slot({ name: `xcrepl_c_${KEY}_run0`, active: false }),
          slot({ name: 'debezium' }),
        ],
        publications: ['xcrepl_s_0000000000', `xcrepl_s_${KEY}`, `xcrepl_s_${KEY}_io`],
      }),
    ).filter((row) => row.check === 'leftovers');
    expect(rows.map((row) => [row.subject, row.remedy])).toEqual([
      ['slot xcrepl_s_0000000000', "SELECT pg_drop_replication_slot('xcrepl_s_0000000000');"],
      [`slot xcrepl_c_${KEY}_run0`, `SELECT pg_drop_replication_slot('xcrepl_c_${KEY}_run0');`],
      ['publication xcrepl_s_0000000000', 'DROP PUBLICATION "xcrepl_s_0000000000";'],
    ]);
    expect(found({ origins: ['xcrepl_s_0000000000', `xcrepl_s_${KEY}`] }, 'target')).toEqual([
      'leftovers fail warn XC-5302',
    ]);
  });

  it('grants what the role lacks on tables', () => {
    const access = {
      table: 'shop.orders',
      owner: 'shop_owner',
      owns: false,
      select: true,
      insert: true,
      update: true,
      delete: true,
      truncate: true,
      schemaUsage: true,
    };
    expect(sourceAccess(context({}), [{ ...access, owns: true }])).toEqual([]);
    expect(targetAccess(context({}, 'target'), [access])).toEqual([]);
    expect(sourceAccess(context({}), [access])[0]).toMatchObject({
      severity: 'block',
      remedy: expect.stringContaining('GRANT "shop_owner" TO "app";'),
    });
    expect(
      targetAccess(context({}, 'target'), [{ ...access, delete: false, schemaUsage: false }])[0],
    ).toMatchObject({
      seen: 'app lacks USAGE on its schema, DELETE',
      remedy:
        'GRANT USAGE ON SCHEMA "shop" TO "app"; GRANT SELECT, INSERT, UPDATE, DELETE ON "shop"."orders" TO "app";',
    });
  });
});

const eu = (more: Partial<ObservedServer> = {}) => observed({ region: 'eu', systemIdentifier: '2', ...more });

describe('two servers', () => {
  it('passes a fitting pair', () => {
    expect(brief(checkPair(observed(), eu()))).toEqual([]);
    expect(brief(checkPair(observed({ version: 150_018 }), eu()))).toEqual([]);
  });

  it.each<[string, Partial<ObservedServer>, string[]]>([
    ['the same database', { systemIdentifier: '1' }, ['distinct-databases fail block XC-5308']],
    ['another database of the same server', { systemIdentifier: '1', database: 'b' }, []],
    ['an older target', { version: 170_009 }, ['version-order fail block XC-5303']],
    ['an extension less', { extensions: new Map() }, ['extensions fail warn XC-5309']],
    [
      'another extension version',
      { extensions: new Map([['plpgsql', '2.0']]) },
      ['extensions fail info XC-5309'],
    ],
  ])('judges %s', (_name, target, expected) => {
    expect(brief(checkPair(observed(), eu(target)))).toEqual(expected);
  });

  it('tells skew from what it cannot tell', () => {
    const at = (offsetMs: number, uncertaintyMs: number) =>
      brief(checkClocks([observed(), eu({ clock: { offsetMs, uncertaintyMs } })]));
    expect(at(100, 1)).toEqual([]);
    expect(at(-100, 1)).toEqual([]);
    expect(at(2_000, 5)).toEqual(['clock-skew fail warn XC-5306']);
    expect(at(-2_000, 5)).toEqual(['clock-skew fail warn XC-5306']);
    expect(at(100, 900)).toEqual(['clock-skew unknown warn XC-5306']);
    expect(brief(checkClocks([observed(), eu({ clock: null })]))).toEqual([
      'clock-skew unknown warn XC-5340',
    ]);
  });
});
