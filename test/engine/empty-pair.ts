/** Pairs of databases that begin with the same statements on both sides, and what is expected of them in the end. */

import { expect } from 'vitest';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import { makePair, type Pair, type PairOptions } from '../harness/pair.ts';
import { tableDigest } from '../harness/table-digest.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { initTarget } from './test-engine.ts';
import { wholeSchema } from './whole-schema.ts';

export const oneTenant = (config: ConfigInput): ConfigInput => ({
  ...config,
  tenants: { a: { scope: { kind: 'column', column: 'tenant', value: 'a' } } },
  rules: [{ id: 'app', tenants: ['a'], tables: ['app.*'], from: SOURCE_REGION, to: [TARGET_REGION] }],
});

/** @param sql on both sides, after CREATE SCHEMA app */
export const pairOf = async (sql: string, config = wholeSchema, more: PairOptions = {}): Promise<Pair> => {
  const pair = await makePair({ fixture: 'empty', sql: `CREATE SCHEMA app; ${sql}`, config, ...more });
  await initTarget(pair);
  return pair;
};

export const expectEqual = async (pair: Pair, tables: readonly string[], where = 'true'): Promise<void> => {
  for (const table of tables)
    expect(await tableDigest(pair.target, table, where), table).toEqual(
      await tableDigest(pair.source, table, where),
    );
};
