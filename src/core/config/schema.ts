/**
 * The configuration file's shape. This schema is the definition: the JSON Schema and docs/configuration.md are
 * generated from it, and its output type is the only form in which the rest of the program sees a configuration.
 */

import * as z from 'zod/mini';
import { _default as defaulting } from 'zod/mini';
import { budget, conflicts } from './limits-schema.ts';
import { region } from './region-schema.ts';
import { ruleSchema } from './rule-schema.ts';
import { name, named, says, secretRef, secretRefOrUrl, text } from './scalars.ts';
import { signing } from './signing-schema.ts';
import { type PII_CLASSES, tenantSchema } from './tenant-schema.ts';

const environment = z.enum(['production', 'staging', 'lab']);
const registry = z.union([z.literal('none'), z.strictObject({ url: secretRefOrUrl })]);
const vault = z.strictObject({ address: secretRefOrUrl, token: z.optional(secretRef) });
const cosign = z.strictObject({ key: text });

export const configSchema = says(
  'Configuration of xcrepl.',
  z.strictObject({
    schemaVersion: z.literal(1),
    controlPlane: named('Names this set of regions; part of every stream key.'),
    environment: says(
      'production: what destroys or discloses takes approvals. lab: whatever runs says that it is a simulation. Where it is absent: production if signing.approvals is there, staging otherwise.',
      defaulting(environment, 'staging'),
    ),
    registry: says(
      'Global registry, checked by precheck; "none" says that there is none.',
      z.optional(registry),
    ),
    hashKeys: says(
      'Keys of the hash action, by name. References only.',
      defaulting(z.record(name, secretRef), {}),
    ),
    vault: says('Where vault: references are resolved.', z.optional(vault)),
    cosign: says('Path of the cosign private key file.', z.optional(cosign)),
    signing: says('Whose signatures and approvals count.', z.optional(signing)),
    regions: says('Regions by name.', z.record(name, region)),
    tenants: says('Tenants by name.', defaulting(z.record(name, tenantSchema), {})),
    rules: says('What is replicated, from where to where.', defaulting(z.array(ruleSchema), [])),
    budgets: says('Limits by tenant and pair of regions.', defaulting(z.array(budget), [])),
    conflicts: says('How concurrent writes are resolved, by default and by table.', z.optional(conflicts)),
  }),
);

/** The user's own file gives defaults for what belongs to a person or machine; it never adds regions or rules. */
export const userConfigSchema = says(
  'Defaults of one user: ~/.config/xcrepl/config.yaml.',
  z.strictObject({
    schemaVersion: z.optional(z.literal(1)),
    environment: z.optional(environment),
    registry: z.optional(registry),
    vault: z.optional(vault),
    cosign: z.optional(cosign),
  }),
);

export type Config = z.output<typeof configSchema>;
export type ConfigInput = z.input<typeof configSchema>;
export type RegionConfig = Config['regions'][string];
export type TenantConfig = Config['tenants'][string];
export type TenantScope = TenantConfig['scope'];
export type RuleConfig = Config['rules'][number];
export type ColumnRule = {
  action: 'allow' | 'hash' | 'mask' | 'drop';
  pii?: (typeof PII_CLASSES)[number] | undefined;
  key?: string | undefined;
};
export type ObjectStoreConfig = NonNullable<RegionConfig['objects']>;
