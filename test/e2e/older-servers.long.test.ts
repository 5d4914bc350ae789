/** The main job on PostgreSQL 15, and from 15 to 18. */

import { afterEach, describe, expect, test } from 'vitest';
import { shopTables } from '../../fixtures/shop/tables.ts';
import { traffic } from '../../fixtures/shop/traffic.ts';
import { makePair, type Pair, type PairOptions } from '../harness/pair.ts';
import { digests } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { expectRefusal } from './refusal.ts';
import { withoutHistory } from './server-history.ts';
import { bothStates } from './server-state.ts';

const pairs: Pair[] = [];
afterEach(async () => {
  for (const pair of pairs.splice(0)) await pair[Symbol.asyncDispose]();
});

const make = async (options: PairOptions): Promise<Pair> => {
  const pair = await makePair({ tenants: ['acme', 'initech', 'hooli'], scale: 0.05, ...options });
  pairs.push(pair);
  return pair;
};

const MINE = `tenant_id IN ('acme', 'initech')`;

/** Equal for the tenants that are replicated, and nothing of the third. */
const expectSame = async (pair: Pair): Promise<void> => {
  expect(await digests(pair.target, shopTables, MINE)).toEqual(await digests(pair.source, shopTables, MINE));
  for (const [table, { rows }] of Object.entries(
    await digests(pair.target, shopTables, `tenant_id = 'hooli'`),
  ))
    expect(rows, table).toBe(0);
};

const write = async (pair: Pair, seed: number): Promise<void> => {
  await using client = await pair.source.connect();
  const signal = new AbortController().signal;
  await traffic(client, { seed, tenants: ['acme', 'initech', 'hooli'], signal, transactions: 150 });
};

describe.each([
  ['15', { pg: 15 }],
  ['15 to 18', { pg: { source: 15, target: 18 } }],
] as const)('PostgreSQL %s', (_, versions) => {
  test('plans, copies, streams, verifies, adds a tenant, drops and uninstalls', async () => {
    const pair = await make(versions);
    const xcrepl = async (...args: readonly string[]) => {
      const ran = await pair.xcrepl([...args, '-o', 'json']);
      expect(ran.exitCode, `${args.join(' ')}\n${ran.stderr}\n${ran.stdout}`).toBe(0);
      return ran.json();
    };
    const [{ version }] = (await pair.source.query(
      `SELECT current_setting('server_version_num')::int / 10000 AS version`,
    )) as [{ version: number }];
    expect(version).toBe(15);
    const untouched = await bothStates(pair);
    await xcrepl('precheck', '--dry-run');
    await xcrepl('replication', 'simulate', '--tenant', 'acme', '--out', 'plan.json');
    expect(await bothStates(pair)).toEqual(untouched);

    await xcrepl('init', '--region', TARGET_REGION);
    await xcrepl('replication', 'run', '--tenant', 'acme');
    await write(pair, 1);
    // The second tenant joins a stream that has changes waiting.
    await xcrepl('replication', 'run', '--tenant', 'initech');
    await expectSame(pair);
    await write(pair, 2);
    await pair.configure((config) => ({
      ...config,
      rules: (config.rules ?? []).map((rule) => ({
        ...rule,
        tenants: ['acme', 'initech'],
        verify: 'full' as const,
      })),
    }));
    expect(await xcrepl('replication', 'run')).toMatchObject({
      outcome: 'done',
      lagMs: { samples: expect.any(Number) as number },
    });
    await expectSame(pair);
    expect(await xcrepl('replication', 'status', '--fail-on', 'never')).toMatchObject({
      links: [{ state: 'streaming' }, { state: 'streaming' }],
    });

    for (const tenant of ['acme', 'initech'])
      await xcrepl(
        'replication',
        'drop',
        '--link',
        `shop:${tenant}:${SOURCE_REGION}:${TARGET_REGION}`,
        '--confirm',
        TARGET_REGION,
      );
    for (const region of [SOURCE_REGION, TARGET_REGION])
      await xcrepl('uninstall', '--region', region, '--confirm', region);
    const left = async (side: 'source' | 'target') =>
      pair[side].query(`SELECT nspname AS name FROM pg_namespace WHERE nspname = 'xcrepl'
                        UNION ALL SELECT pubname FROM pg_publication
                        UNION ALL SELECT slot_name FROM pg_replication_slots WHERE database = current_database()
                        UNION ALL SELECT roname FROM pg_replication_origin WHERE roname LIKE 'xcrepl%'`);
    expect(await left('source')).toEqual([]);
    expect(await left('target')).toEqual([]);
  });
});

test('a target older than its source is refused before anything is created', async () => {
  const pair = await make({ pg: { source: 18, target: 15 } });
  expect((await pair.xcrepl(['init', '--region', TARGET_REGION])).exitCode).toBe(0);
  const before = withoutHistory(await bothStates(pair));
  expectRefusal(await pair.xcrepl(['replication', 'run', '-o', 'json']), {
    code: 'XC-2014',
    exit: 7,
    says: ['PostgreSQL 15, older than its source (18)', TARGET_REGION],
  });
  expect(withoutHistory(await bothStates(pair))).toEqual(before);
});
