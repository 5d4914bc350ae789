/** Rules for a plan's schemas: one carried whole, of the other the rows of two tenants. */

import type { ConfigInput } from '../../../src/core/config/schema.ts';
import { SOURCE_REGION, TARGET_REGION } from '../../servers/server-pair.ts';
import type { WorkloadPlan } from './plan.ts';
import { CARRIED_TENANTS, SHARED_SCHEMA, TENANT_COLUMN, WHOLE_SCHEMA } from './schema.ts';

export const configOf = (config: ConfigInput, { schema, verify, ddl }: WorkloadPlan): ConfigInput => {
  const rule = { from: SOURCE_REGION, to: [TARGET_REGION], verify, ddl };
  const isThere = (shared: boolean): boolean => schema.tables.some((table) => table.shared === shared);
  return {
    ...config,
    tenants: {
      everything: { scope: { kind: 'schema', schema: WHOLE_SCHEMA } },
      ...Object.fromEntries(CARRIED_TENANTS.map((value, index) => [`tenant-${index}`, column(value)])),
    },
    rules: [
      ...(isThere(false)
        ? [{ id: 'whole', tenants: ['everything'], tables: [`${WHOLE_SCHEMA}.*`], ...rule }]
        : []),
      ...(isThere(true)
        ? [
            {
              id: 'shared',
              tenants: CARRIED_TENANTS.map((_, index) => `tenant-${index}`),
              tables: [`${SHARED_SCHEMA}.*`],
              ...rule,
            },
          ]
        : []),
    ],
  };
};

const column = (value: string) => ({ scope: { kind: 'column' as const, column: TENANT_COLUMN, value } });
