/** The engine on two real servers: what was copied and streamed equals what the source has, and nothing else is there. */

import { describe, expect, test } from 'vitest';
import { SHOP_TABLES } from '../../fixtures/shop/tables.ts';
import { traffic, type TrafficOptions } from '../../fixtures/shop/traffic.ts';
import { makePair, type Pair } from '../harness/pair.ts';
import { digests } from '../harness/table-digest.ts';
import { initTarget, openTestEngine } from './test-engine.ts';

const tables = Object.values(SHOP_TABLES).map((table) => table.name);

const write = async (pair: Pair, options: Omit<TrafficOptions, 'signal'>): Promise<void> => {
  await using client = await pair.source.connect();
  await traffic(client, { ...options, signal: new AbortController().signal });
};

const equalRows = async (pair: Pair, tenant: string): Promise<void> => {
  const where = `tenant_id = '${tenant}'`;
  expect(await digests(pair.target, tables, where)).toEqual(await digests(pair.source, tables, where));
};

describe('copy and stream', () => {
  test('one tenant arrives whole, and no other tenant with it', async () => {
    await using pair = await makePair({
      tenants: ['acme', 'initech'],
      config: (config) => ({
        ...config,
        rules: config.rules!.map((rule) => ({ ...rule, tenants: ['acme'] })),
      }),
    });
    await initTarget(pair);
    await using engine = await openTestEngine(pair);
    const { copyAndStream, catchUp } = engine;
    await copyAndStream();
    await equalRows(pair, 'acme');
    await write(pair, { seed: 7, tenants: ['acme', 'initech'], transactions: 300 });
    const streamed = await catchUp();
    expect(streamed.transactions).toBeGreaterThan(0);
    await equalRows(pair, 'acme');
    for (const table of tables) {
      const strangers = await pair.target.query(
        `SELECT count(*)::int AS n FROM ${table} WHERE tenant_id <> 'acme'`,
      );
      expect(strangers, table).toEqual([{ n: 0 }]);
    }
  });
});
