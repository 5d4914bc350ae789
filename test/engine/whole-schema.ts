/** Configurations of one rule for the schema app. */

import type { ConfigInput } from '../../src/core/config/schema.ts';
import { SOURCE_REGION, TARGET_REGION } from '../servers/server-pair.ts';

export const wholeSchema = (config: ConfigInput): ConfigInput => ({
  ...config,
  tenants: { all: { scope: { kind: 'schema', schema: 'app' } } },
  rules: [{ id: 'app', tenants: ['all'], tables: ['app.*'], from: SOURCE_REGION, to: [TARGET_REGION] }],
});
