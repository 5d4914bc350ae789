/**
 * The configuration file's shape. This schema is the definition: the JSON Schema and docs/configuration.md are
 * generated from it, and its output type is the only form in which the rest of the program sees a configuration.
 * Unknown keys are refused everywhere, because a misspelt rule that is silently ignored loses data.
 */

import * as z from 'zod/mini';
import { _default as defaulting } from 'zod/mini';
import { durationMs, sizeBytes } from './quantity.ts';

// One document is checked once: compiling a checker for it costs more than it saves.
z.config({ jitless: true });

const NAME = /^[a-z0-9][a-z0-9_.-]{0,62}$/;
const TABLE_PATTERN = /^!?[^.\s]+\.[^.\s]+$/;

/** A description: the text of the generated reference and of an editor's hint. */
const says = z.describe;

const name = z
  .string()
  .check(
    z.regex(
      NAME,
      'lower-case letters, digits, "-", "_" and ".", at most 63, starting with a letter or digit',
    ),
  );

const text = z.string().check(z.minLength(1, 'must not be empty'));

const tablePattern = z
  .string()
  .check(z.regex(TABLE_PATTERN, 'schema.table, with * in either part; a leading ! excludes'));

/** A secret is named, never written down. `vault:` references name the path and, after #, the key. */
export const secretRef = z
  .string()
  .check(
    z.regex(
      /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|cmd:.+|vault:[^#]+#.+)$/,
      'a reference: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY',
    ),
    says(
      'Reference to a secret: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY. A literal secret is refused.',
    ),
  );

/** An address is not always secret: a URL without a password in it, or a reference. */
const secretRefOrUrl = z.string().check(
  z.refine(
    (value) => secretRef.safeParse(value).success || isPlainUrl(value),
    'a reference (env:NAME, file:PATH, cmd:COMMAND, vault:PATH#KEY), or an http(s) URL without user and password',
  ),
  says('An http(s) URL without user and password, or a reference to one.'),
);

const isPlainUrl = (value: string): boolean => {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
};

const duration = z.pipe(
  z.string().check(
    z.refine((value) => durationMs(value) !== null, 'a duration such as 250ms, 5s, 15m or 2h'),
    says('Duration: 250ms, 5s, 15m, 2h, 7d.'),
  ),
  z.transform((value: string) => durationMs(value) ?? 0),
);

const size = z.pipe(
  z.union([z.string(), z.number()]).check(
    z.refine((value) => sizeBytes(String(value)) !== null, 'a size such as 64MiB, 20MB or 512'),
    says('Size in bytes: 512, 64KiB, 20MB, 1GiB.'),
  ),
  z.transform((value: string | number) => sizeBytes(String(value)) ?? 0),
);

const postgres = z
  .strictObject({
    dsn: secretRef,
    connectTimeout: z.optional(duration).check(says('Longest wait for a connection. Default 10s.')),
  })
  .check(says('The region’s PostgreSQL server. The DSN names user, host, port, database and sslmode.'));

const endpoint = z
  .optional(secretRefOrUrl)
  .check(says('Endpoint URL or a reference to it; the cloud’s own when absent.'));
const prefix = z.optional(z.string()).check(says('What every key begins with.'));

const objects = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('s3'),
      endpoint,
      bucket: text,
      prefix,
      region: z.optional(z.string()).check(says('The cloud’s name of the region.')),
    }),
    z.strictObject({ kind: z.literal('gcs'), endpoint, bucket: text, prefix }),
    z.strictObject({ kind: z.literal('azure'), endpoint, container: text, prefix }),
    z.strictObject({ kind: z.literal('local'), path: text }),
    z.strictObject({ kind: z.literal('memory') }),
  ])
  .check(says('The region’s object store.'));

const region = z.strictObject({
  zone: name.check(
    says('Residency zone: personal data of a tenant stays in the zones that its residency names.'),
  ),
  location: z
    .optional(
      z.strictObject({
        lat: z.number().check(z.minimum(-90), z.maximum(90)),
        lon: z.number().check(z.minimum(-180), z.maximum(180)),
      }),
    )
    .check(says('Where it is, for routing by distance. Degrees.')),
  initialRole: defaulting(z.enum(['primary', 'replica']), 'replica').check(
    says('The start; the epochs in the database are the truth afterwards.'),
  ),
  postgres: z.optional(postgres),
  objects: z.optional(objects),
});

const scope = z
  .discriminatedUnion('kind', [
    z
      .strictObject({
        kind: z.literal('column'),
        column: text,
        value: z.pipe(z.union([z.string(), z.int()]), z.transform(String)),
      })
      .check(says('Rows whose column has this value.')),
    z
      .strictObject({ kind: z.literal('schema'), schema: text })
      .check(says('All rows of the tables of one schema.')),
    z
      .strictObject({ kind: z.literal('database'), database: text })
      .check(says('All rows of one database of the same server.')),
  ])
  .check(says('Which rows are the tenant’s.'));

export const PII_CLASSES = ['email', 'phone', 'name', 'address', 'free-text', 'id', 'none'] as const;

const columnRule = z
  .union([
    z.pipe(
      z.literal('allow'),
      z.transform(() => ({ action: 'allow' as const })),
    ),
    z
      .strictObject({
        pii: z.optional(z.enum(PII_CLASSES)),
        action: z.enum(['allow', 'hash', 'mask', 'drop']),
        key: z.optional(z.string()).check(says('For hash: a name under hashKeys.')),
      })
      .check(
        z.refine((rule) => rule.action !== 'hash' || rule.key !== undefined, {
          message: 'hash needs a key: a name under hashKeys',
        }),
        z.refine((rule) => rule.action === 'hash' || rule.key === undefined, {
          message: 'only hash takes a key',
        }),
      ),
  ])
  .check(says('`allow`, or what is done with the column before it leaves the region.'));

const tenant = z.strictObject({
  scope,
  residency: z
    .optional(
      z.strictObject({
        zones: z.array(name).check(z.minLength(1, 'at least one zone')),
        redacted: defaulting(z.enum(['any', 'zones']), 'zones').check(
          says('Whether redacted data may leave the zones.'),
        ),
      }),
    )
    .check(says('Where personal data of the tenant may be.')),
  columns: z
    .optional(
      z.record(
        z.string().check(z.regex(TABLE_PATTERN, 'a table as schema.table')),
        z.record(text, columnRule),
      ),
    )
    .check(
      says('Column rules by table. When present the tenant is default-deny: a column without a rule stops.'),
    ),
});

const rule = z.strictObject({
  id: name.check(says('Part of every link’s name.')),
  tenants: z
    .array(text)
    .check(z.minLength(1, 'at least one tenant'), says('Tenant names or patterns with *.')),
  tables: z
    .optional(z.array(tablePattern).check(z.minLength(1, 'at least one table pattern')))
    .check(says('Table patterns: schema.table with *; a leading ! excludes.')),
  prefixes: z
    .optional(z.array(z.string()).check(z.minLength(1, 'at least one prefix')))
    .check(says('Object prefixes.')),
  tier: defaulting(z.enum(['hot', 'warm', 'cold']), 'warm').check(
    says('hot: active-active streams; warm: tables, asynchronous; cold: partitioned files.'),
  ),
  mode: defaulting(z.enum(['active-passive', 'active-active']), 'active-passive').check(
    says('active-active links every two of the rule’s regions in both directions.'),
  ),
  from: name.check(says('Source region.')),
  to: z.array(name).check(z.minLength(1, 'at least one region'), says('Target regions.')),
  dedicated: defaulting(z.boolean(), false).check(
    says('A slot and publication for each link of this rule alone.'),
  ),
  ddl: defaulting(z.enum(['stop', 'additive']), 'stop').check(
    says('What a schema change at the source does: stop the link, or carry additive changes over.'),
  ),
  verify: defaulting(z.enum(['off', 'changed', 'full']), 'changed').check(
    says('What a run compares at its end.'),
  ),
  lagObjective: z.optional(duration).check(says('The lag that status measures the link against.')),
  timeColumns: z
    .optional(z.record(tablePattern, text))
    .check(says('Time column by table pattern, for --window.')),
});

const budget = z
  .strictObject({
    tenant: name,
    from: name,
    to: name,
    bytesPerSecond: z.optional(size),
    bytesPerDay: z.optional(size),
    concurrentJobs: z.optional(z.int().check(z.positive('must be at least 1'))),
    maxLatency: z.optional(duration),
  })
  .check(says('How much one tenant may use between two regions.'));

const strategy = z.enum(['last-write', 'source-priority', 'append', 'merge', 'manual']);
const rank = z.optional(z.array(name)).check(says('Regions, the strongest first.'));
const conflicts = z.strictObject({
  default: z.optional(z.strictObject({ strategy, rank })),
  tables: z.optional(
    z.record(
      tablePattern,
      z.strictObject({
        strategy: z.optional(strategy),
        rank,
        columns: z.optional(z.record(text, z.enum(['sum-delta', 'max', 'min', 'last-write']))),
      }),
    ),
  ),
});

const environment = z.enum(['production', 'staging', 'lab']);
const registry = z.union([z.literal('none'), z.strictObject({ url: secretRefOrUrl })]);
const vault = z.strictObject({ address: secretRefOrUrl, token: z.optional(secretRef) });
const cosign = z.strictObject({ key: text });

export const configSchema = z
  .strictObject({
    schemaVersion: z.literal(1),
    controlPlane: name.check(says('Names this set of regions; part of every stream key.')),
    environment: defaulting(environment, 'production').check(
      says('lab: whatever runs says that it is a simulation.'),
    ),
    registry: z
      .optional(registry)
      .check(says('Global registry, checked by precheck; "none" says that there is none.')),
    hashKeys: defaulting(z.record(name, secretRef), {}).check(
      says('Keys of the hash action, by name. References only.'),
    ),
    vault: z.optional(vault).check(says('Where vault: references are resolved.')),
    cosign: z.optional(cosign).check(says('Path of the cosign private key file.')),
    regions: z.record(name, region).check(says('Regions by name.')),
    tenants: defaulting(z.record(name, tenant), {}).check(says('Tenants by name.')),
    rules: defaulting(z.array(rule), []).check(says('What is replicated, from where to where.')),
    budgets: defaulting(z.array(budget), []).check(says('Limits by tenant and pair of regions.')),
    conflicts: z
      .optional(conflicts)
      .check(says('How concurrent writes are resolved, by default and by table.')),
  })
  .check(says('Configuration of xcrepl.'));

/** The user's own file gives defaults for what belongs to a person or machine; it never adds regions or rules. */
export const userConfigSchema = z
  .strictObject({
    schemaVersion: z.optional(z.literal(1)),
    environment: z.optional(environment),
    registry: z.optional(registry),
    vault: z.optional(vault),
    cosign: z.optional(cosign),
  })
  .check(says('Defaults of one user: ~/.config/xcrepl/config.yaml.'));

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
