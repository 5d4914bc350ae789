/**
 * The configuration file's shape. This schema is the definition: the JSON Schema and docs/configuration.md are
 * generated from it, and its output type is the only form in which the rest of the program sees a configuration.
 * Unknown keys are refused everywhere, because a misspelt rule that is silently ignored loses data.
 */

import { z } from 'zod';
import { durationMs, sizeBytes } from './quantity.ts';

const NAME = /^[a-z0-9][a-z0-9_.-]{0,62}$/;
const TABLE_PATTERN = /^!?[^.\s]+\.[^.\s]+$/;

const name = z
  .string()
  .regex(NAME, 'lower-case letters, digits, "-", "_" and ".", at most 63, starting with a letter or digit');

/** A secret is named, never written down. `vault:` references name the path and, after #, the key. */
export const secretRef = z
  .string()
  .regex(
    /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|cmd:.+|vault:[^#]+#.+)$/,
    'a reference: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY',
  )
  .describe(
    'Reference to a secret: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY. A literal secret is refused.',
  );

const duration = z
  .string()
  .refine((text) => durationMs(text) !== null, 'a duration such as 250ms, 5s, 15m or 2h')
  .transform((text) => durationMs(text) ?? 0)
  .describe('Duration: 250ms, 5s, 15m, 2h, 7d.');

const size = z
  .union([z.string(), z.number().int().nonnegative().transform(String)])
  .refine((text) => sizeBytes(text) !== null, 'a size such as 64MiB, 20MB or 512')
  .transform((text) => sizeBytes(text) ?? 0)
  .describe('Size in bytes: 512, 64KiB, 20MB, 1GiB.');

const postgres = z
  .strictObject({
    dsn: secretRef,
    connectTimeout: duration.optional().describe('Longest wait for a connection. Default 10s.'),
  })
  .describe('The region’s PostgreSQL server. The DSN names user, host, port, database and sslmode.');

const objects = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('s3'),
      endpoint: z
        .union([secretRef, z.url()])
        .optional()
        .describe('Endpoint URL or a reference to it; AWS itself when absent.'),
      bucket: z.string().min(1),
      prefix: z.string().optional(),
      region: z.string().optional(),
    }),
    z.strictObject({
      kind: z.literal('gcs'),
      endpoint: z.union([secretRef, z.url()]).optional(),
      bucket: z.string().min(1),
      prefix: z.string().optional(),
    }),
    z.strictObject({
      kind: z.literal('azure'),
      endpoint: z.union([secretRef, z.url()]).optional(),
      container: z.string().min(1),
      prefix: z.string().optional(),
    }),
    z.strictObject({ kind: z.literal('local'), path: z.string().min(1) }),
    z.strictObject({ kind: z.literal('memory') }),
  ])
  .describe('The region’s object store.');

const region = z.strictObject({
  zone: name.describe(
    'Residency zone: personal data of a tenant stays in the zones that its residency names.',
  ),
  location: z
    .strictObject({ lat: z.number().min(-90).max(90), lon: z.number().min(-180).max(180) })
    .optional(),
  initialRole: z
    .enum(['primary', 'replica'])
    .default('replica')
    .describe('The start; the epochs in the database are the truth afterwards.'),
  postgres: postgres.optional(),
  objects: objects.optional(),
});

const scope = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('column'),
      column: z.string().min(1),
      value: z.union([z.string(), z.number().int()]).transform(String),
    })
    .describe('Rows whose column has this value.'),
  z
    .strictObject({ kind: z.literal('schema'), schema: z.string().min(1) })
    .describe('All rows of the tables of one schema.'),
  z
    .strictObject({ kind: z.literal('database'), database: z.string().min(1) })
    .describe('All rows of one database of the same server.'),
]);

export const PII_CLASSES = ['email', 'phone', 'name', 'address', 'free-text', 'id', 'none'] as const;

const columnRule = z.union([
  z.literal('allow').transform(() => ({ action: 'allow' as const })),
  z
    .strictObject({
      pii: z.enum(PII_CLASSES).optional(),
      action: z.enum(['allow', 'hash', 'mask', 'drop']),
      key: z.string().optional().describe('For hash: a name under hashKeys.'),
    })
    .refine(
      (rule) => rule.action !== 'hash' || rule.key !== undefined,
      'hash needs a key: a name under hashKeys',
    )
    .refine((rule) => rule.action === 'hash' || rule.key === undefined, 'only hash takes a key'),
]);

const tenant = z.strictObject({
  scope,
  residency: z
    .strictObject({
      zones: z.array(name).min(1),
      redacted: z
        .enum(['any', 'zones'])
        .default('zones')
        .describe('Whether redacted data may leave the zones.'),
    })
    .optional(),
  columns: z
    .record(z.string().regex(TABLE_PATTERN, 'schema.table'), z.record(z.string().min(1), columnRule))
    .optional()
    .describe(
      'Column rules by table. When present the tenant is default-deny: a column without a rule stops.',
    ),
});

const rule = z.strictObject({
  id: name,
  tenants: z.array(z.string().min(1)).min(1).describe('Tenant names or patterns with *.'),
  tables: z
    .array(z.string().regex(TABLE_PATTERN, 'schema.table, with * in either part; a leading ! excludes'))
    .min(1)
    .optional()
    .describe('Table patterns: schema.table with *; a leading ! excludes.'),
  prefixes: z.array(z.string()).min(1).optional().describe('Object prefixes.'),
  tier: z.enum(['hot', 'warm', 'cold']).default('warm'),
  mode: z.enum(['active-passive', 'active-active']).default('active-passive'),
  from: name,
  to: z.array(name).min(1),
  dedicated: z.boolean().default(false).describe('A slot and publication for each link of this rule alone.'),
  ddl: z.enum(['stop', 'additive']).default('stop'),
  verify: z.enum(['off', 'changed', 'full']).default('changed'),
  lagObjective: duration.optional(),
  timeColumns: z
    .record(z.string().regex(TABLE_PATTERN), z.string())
    .optional()
    .describe('Time column by table pattern, for --window.'),
});

const budget = z.strictObject({
  tenant: name,
  from: name,
  to: name,
  bytesPerSecond: size.optional(),
  bytesPerDay: size.optional(),
  concurrentJobs: z.number().int().positive().optional(),
  maxLatency: duration.optional(),
});

const strategy = z.enum(['last-write', 'source-priority', 'append', 'merge', 'manual']);
const conflicts = z.strictObject({
  default: z.strictObject({ strategy, rank: z.array(name).optional() }).optional(),
  tables: z
    .record(
      z.string().regex(TABLE_PATTERN),
      z.strictObject({
        strategy: strategy.optional(),
        rank: z.array(name).optional(),
        columns: z.record(z.string(), z.enum(['sum-delta', 'max', 'min', 'last-write'])).optional(),
      }),
    )
    .optional(),
});

export const configSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    controlPlane: name.describe('Names this set of regions; part of every stream key.'),
    environment: z.enum(['production', 'staging', 'lab']).default('production'),
    registry: z
      .union([z.literal('none'), z.strictObject({ url: z.union([secretRef, z.url()]) })])
      .optional()
      .describe('Global registry, checked by precheck; "none" says that there is none.'),
    hashKeys: z.record(name, secretRef).default({}),
    vault: z.strictObject({ address: z.union([secretRef, z.url()]), token: secretRef.optional() }).optional(),
    cosign: z
      .strictObject({ key: z.string().min(1) })
      .optional()
      .describe('Path of the cosign private key file.'),
    regions: z.record(name, region),
    tenants: z.record(name, tenant).default({}),
    rules: z.array(rule).default([]),
    budgets: z.array(budget).default([]),
    conflicts: conflicts.optional(),
  })
  .describe('Configuration of xcrepl.');

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
