/** What every suite starts from: a shop of several tenants and a ledger in the source, their empty tables in the target. */

import type { ConfigInput } from '../../src/core/config/schema.ts';
import { REDACTED_TENANT, shopRules, shopTenants } from '../../fixtures/shop/config.ts';
import { makePair, type Pair, type PairOptions } from '../harness/pair.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';
import { fillLedger, LEDGER_TENANT, ledgerSchemaSql } from './ledger/schema.ts';

/** Replicated as they are; globex beside them, redacted. */
export const PLAIN_TENANTS: readonly string[] = ['acme', 'initech', 'umbra'];
/** Has rows and traffic at the source, and no rule. */
export const STRANGER = 'hooli';
export const SHOP_TENANTS: readonly string[] = [...PLAIN_TENANTS, REDACTED_TENANT];
const EVERYBODY = [...SHOP_TENANTS, STRANGER];

export interface WorldOptions extends Pick<PairOptions, 'private'> {
  /** See fixtures/shop/fill.ts. */
  readonly scale: number;
  readonly ledgerRows: number;
  /** Tenants that replicate from the start; all of them where absent. */
  readonly only?: readonly string[];
}

export const makeWorld = async (options: WorldOptions): Promise<Pair> => {
  const pair = await makePair({
    tenants: EVERYBODY,
    scale: options.scale,
    sql: ledgerSchemaSql,
    private: options.private ?? false,
    config: replicating(options.only ?? [...SHOP_TENANTS, LEDGER_TENANT]),
  });
  try {
    await fillLedger((sql) => pair.source.query(sql), options.ledgerRows);
    const init = await pair.xcrepl(['init', '--region', TARGET_REGION]);
    if (init.exitCode !== 0) throw new Error(`init ended with ${init.exitCode}: ${init.stderr}`);
    return pair;
  } catch (error) {
    await pair[Symbol.asyncDispose]();
    throw error;
  }
};

/** Rules for these tenants, among all that the configuration knows. */
export const replicating =
  (names: readonly string[]) =>
  (config: ConfigInput): ConfigInput => {
    const shop = names.filter((name) => name !== LEDGER_TENANT);
    const regions = { from: SOURCE_REGION, to: [TARGET_REGION] };
    return {
      ...config,
      tenants: {
        ...shopTenants(shop),
        [LEDGER_TENANT]: { scope: { kind: 'schema', schema: 'ledger' } },
      },
      rules: [
        ...shopRules({ tenants: shop, ...regions }),
        ...(names.includes(LEDGER_TENANT)
          ? [
              {
                id: 'ledger',
                tenants: [LEDGER_TENANT],
                tables: ['ledger.*'],
                tier: 'warm' as const,
                mode: 'active-passive' as const,
                ...regions,
              },
            ]
          : []),
      ],
    };
  };

export const EVERY_TENANT: readonly string[] = EVERYBODY;
