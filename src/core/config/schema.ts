/**
 * The configuration file's shape. This schema is the definition: the JSON Schema and docs/configuration.md are
 * generated from it, and its output type is the only form in which the rest of the program sees a configuration.
 * Unknown keys are refused everywhere, because a misspelt rule that is silently ignored loses data.
 */

import { splitName, splitTable, tableName as nameOfTable } from '../topology/table-name.ts';
import * as z from 'zod/mini';
import { _default as defaulting } from 'zod/mini';
import { durationMs, sizeBytes } from './quantity.ts';

// One document is checked once: compiling a checker for it costs more than it saves.
z.config({ jitless: true });

const NAME = /^[a-z0-9][a-z0-9_.-]{0,62}$/;
/** A part without quotes holds no space, so that a list written as one text is noticed. */
const TABLE_PATTERN = /^!?(?:"(?:[^"]|"")+"|[^."\s]+)\.(?:"(?:[^"]|"")+"|[^"\s][^\s"]*)$/;

/** A description: the text of the generated reference and of an editor's hint. */
const says = <S extends z.ZodMiniType>(description: string, schema: S): S => {
  z.globalRegistry.add(schema, { description });
  return schema;
};

/** Made with its checks: `check()` would make every one of these twice, which each start of the program waits for. */
const checked = (...checks: z.core.$ZodCheck<string>[]): z.ZodMiniString =>
  new z.ZodMiniString({ type: 'string', checks });

const named = (description?: string): z.ZodMiniString => {
  const schema = checked(
    z.regex(
      NAME,
      'lower-case letters, digits, "-", "_" and ".", at most 63, starting with a letter or digit',
    ),
  );
  return description === undefined ? schema : says(description, schema);
};
const name = named();

const text = checked(z.minLength(1, 'must not be empty'));

const tablePattern = checked(
  z.regex(
    TABLE_PATTERN,
    'schema.table, with * in either part, and double quotes around a part with dots or spaces; a leading ! excludes',
  ),
);

/** One table has one name, because it is looked up by it. */
const exactTable = checked(
  z.regex(TABLE_PATTERN, 'a table as schema.table'),
  z.refine(
    (text) => splitName(text) === null || nameOfTable(splitTable(text)) === text,
    'quotes around a part with a dot, space, quote, * or ! in its name, and around no other: schema."table.name"',
  ),
);

const SECRET_REF = /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|cmd:.+|vault:[^#]+#.+)$/;

/** A secret is named, never written down. `vault:` references name the path and, after #, the key. */
export const secretRef = says(
  'Reference to a secret: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY. A literal secret is refused.',
  checked(z.regex(SECRET_REF, 'a reference: env:NAME, file:PATH, cmd:COMMAND or vault:PATH#KEY')),
);

/** An address is not always secret: a URL without a password in it, or a reference. */
const secretRefOrUrl = says(
  'An http(s) URL without user and password, or a reference to one.',
  checked(
    z.refine(
      (value) => SECRET_REF.test(value) || isPlainUrl(value),
      'a reference (env:NAME, file:PATH, cmd:COMMAND, vault:PATH#KEY), or an http(s) URL without user and password',
    ),
  ),
);

const isPlainUrl = (value: string): boolean => {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
};

const duration = z.pipe(
  says(
    'Duration: 250ms, 5s, 15m, 2h, 7d.',
    checked(z.refine((value) => durationMs(value) !== null, 'a duration such as 250ms, 5s, 15m or 2h')),
  ),
  z.transform((value: string) => durationMs(value) ?? 0),
);

const size = z.pipe(
  says(
    'Size in bytes: 512, 64KiB, 20MB, 1GiB.',
    z
      .union([z.string(), z.number()])
      .check(z.refine((value) => sizeBytes(String(value)) !== null, 'a size such as 64MiB, 20MB or 512')),
  ),
  z.transform((value: string | number) => sizeBytes(String(value)) ?? 0),
);

const postgres = says(
  'The region’s PostgreSQL server. The DSN names user, host, port, database and sslmode.',
  z.strictObject({
    dsn: secretRef,
    connectTimeout: says('Longest wait for a connection. Default 10s.', z.optional(duration)),
    heartbeat: says(
      'How often a followed stream from this server that stands, while its log moves on, is helped on by a logical message in the log. Default 15s; off writes none.',
      z.optional(z.union([z.literal('off'), duration])),
    ),
    retainedWal: says(
      'When the log that slots of this server hold back is an alarm, in status, /health, metrics and the log of a run.',
      z.optional(
        z.strictObject({
          limit: says(
            'What a slot may hold back where max_slot_wal_keep_size sets no limit: the headroom of the disk. Default 64GiB.',
            z.optional(size),
          ),
          held: says(
            'What the own slot of a paused or errored link may hold back before it is dropped and the link needs repair. Default half of what max_slot_wal_keep_size or the limit allows.',
            z.optional(size),
          ),
          alarmAt: says(
            'Part of the limit from which there is an alarm. Default 0.5.',
            z.optional(z.number().check(z.positive('must be above 0'), z.maximum(1, 'at most 1'))),
          ),
          alarmWithin: says(
            'Also when the rest will be used up within this time at the present rate. Default 1h.',
            z.optional(duration),
          ),
        }),
      ),
    ),
  }),
);

const endpoint = says(
  'Endpoint URL or a reference to it; the cloud’s own when absent.',
  z.optional(secretRefOrUrl),
);
const prefix = says('What every key begins with.', z.optional(z.string()));

const objects = says(
  'The region’s object store.',
  z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('s3'),
      endpoint,
      bucket: text,
      prefix,
      region: says('The cloud’s name of the region.', z.optional(z.string())),
    }),
    z.strictObject({ kind: z.literal('gcs'), endpoint, bucket: text, prefix }),
    z.strictObject({ kind: z.literal('azure'), endpoint, container: text, prefix }),
    z.strictObject({ kind: z.literal('local'), path: text }),
    z.strictObject({ kind: z.literal('memory') }),
  ]),
);

const region = z.strictObject({
  kind: says(
    'What the rows of the region are in: a PostgreSQL server, which is the default, or a change log, which can be replayed and not written.',
    z.optional(z.enum(['postgres', 'changelog'])),
  ),
  path: says(
    'For kind changelog: the first file of the log; a relative path starts at the configuration file.',
    z.optional(text),
  ),
  zone: named('Residency zone: personal data of a tenant stays in the zones that its residency names.'),
  location: says(
    'Where it is, for routing by distance. Degrees.',
    z.optional(
      z.strictObject({
        lat: z.number().check(z.minimum(-90), z.maximum(90)),
        lon: z.number().check(z.minimum(-180), z.maximum(180)),
      }),
    ),
  ),
  initialRole: says(
    'The start; the epochs in the database are the truth afterwards.',
    defaulting(z.enum(['primary', 'replica']), 'replica'),
  ),
  postgres: z.optional(postgres),
  objects: z.optional(objects),
});

const scope = says(
  'Which rows are the tenant’s.',
  z.discriminatedUnion('kind', [
    says(
      'Rows whose column has this value.',
      z.strictObject({
        kind: z.literal('column'),
        column: text,
        value: z.pipe(z.union([z.string(), z.int()]), z.transform(String)),
      }),
    ),
    says(
      'All rows of the tables of one schema.',
      z.strictObject({ kind: z.literal('schema'), schema: text }),
    ),
    says(
      'All rows of one database of the same server.',
      z.strictObject({ kind: z.literal('database'), database: text }),
    ),
  ]),
);

export const PII_CLASSES = ['email', 'phone', 'name', 'address', 'free-text', 'id', 'none'] as const;

const columnRule = says(
  '`allow`, or what is done with the column before it leaves the region.',
  z.union([
    z.pipe(
      z.literal('allow'),
      z.transform(() => ({ action: 'allow' as const })),
    ),
    z
      .strictObject({
        pii: z.optional(z.enum(PII_CLASSES)),
        action: z.enum(['allow', 'hash', 'mask', 'drop']),
        key: says('For hash: a name under hashKeys.', z.optional(z.string())),
      })
      .check(
        z.refine((rule) => rule.action !== 'hash' || rule.key !== undefined, {
          message: 'hash needs a key: a name under hashKeys',
        }),
        z.refine((rule) => rule.action === 'hash' || rule.key === undefined, {
          message: 'only hash takes a key',
        }),
      ),
  ]),
);

export const tenantSchema = z.strictObject({
  scope,
  residency: says(
    'Where personal data of the tenant may be.',
    z.optional(
      z.strictObject({
        zones: z.array(name).check(z.minLength(1, 'at least one zone')),
        redacted: says(
          'Whether redacted data may leave the zones.',
          defaulting(z.enum(['any', 'zones']), 'zones'),
        ),
      }),
    ),
  ),
  columns: says(
    'Column rules by table. When present the tenant is default-deny: a column without a rule stops.',
    z.optional(z.record(exactTable, z.record(text, columnRule))),
  ),
});

const tableName = exactTable;

const map = says(
  'What tables and columns are called on the target, where not as at the source. Names are exact; what nothing names keeps its own, folded by `case`.',
  z.strictObject({
    schemas: says('Target schema by source schema.', z.optional(z.record(text, text))),
    tables: says(
      'Target table by source table, both as schema.table.',
      z.optional(z.record(tableName, tableName)),
    ),
    columns: says(
      'Target column by source column, by source table.',
      z.optional(z.record(tableName, z.record(text, text))),
    ),
    case: says(
      'lower: names of schemas, tables and columns as PostgreSQL folds them without quotes.',
      defaulting(z.enum(['preserve', 'lower']), 'preserve'),
    ),
  }),
);

export const ruleSchema = z.strictObject({
  id: named('Part of every link’s name.'),
  tenants: says(
    'Tenant names or patterns with *.',
    z.array(text).check(z.minLength(1, 'at least one tenant')),
  ),
  tables: says(
    'Table patterns: schema.table with *; a leading ! excludes. A part with a dot, space, quote, * or ! in its name stands in double quotes, as in SQL.',
    z.optional(z.array(tablePattern).check(z.minLength(1, 'at least one table pattern'))),
  ),
  prefixes: says(
    'Object prefixes.',
    z.optional(z.array(z.string()).check(z.minLength(1, 'at least one prefix'))),
  ),
  tier: says(
    'hot: active-active streams; warm: tables, asynchronous; cold: partitioned files.',
    defaulting(z.enum(['hot', 'warm', 'cold']), 'warm'),
  ),
  mode: says(
    'active-active links every two of the rule’s regions in both directions.',
    defaulting(z.enum(['active-passive', 'active-active']), 'active-passive'),
  ),
  from: named('Source region.'),
  to: says('Target regions.', z.array(name).check(z.minLength(1, 'at least one region'))),
  dedicated: says('A slot and publication for each link of this rule alone.', defaulting(z.boolean(), false)),
  ddl: says(
    'What the target lacks after a schema change at the source: stop before it is needed, or let the run add it where that is additive.',
    defaulting(z.enum(['stop', 'additive']), 'stop'),
  ),
  verify: says('What a run compares at its end.', defaulting(z.enum(['off', 'changed', 'full']), 'changed')),
  lagObjective: says('The lag that status measures the link against.', z.optional(duration)),
  foreignKeys: says(
    'Foreign keys of the target are not checked while rows are applied. check: verification counts rows that point to nothing, which is a finding and stops nothing.',
    defaulting(z.enum(['ignore', 'check']), 'ignore'),
  ),
  sequences: says(
    'Sequences that the tables’ columns draw from are carried along: the target’s are kept at the source’s value, and headStart values ahead (1000 where nothing is said). off leaves them alone.',
    z.optional(
      z.union([z.literal('off'), z.strictObject({ headStart: z.int().check(z.minimum(0, 'at least 0')) })]),
    ),
  ),
  map: z.optional(map),
  leaveOut: says(
    'Columns by table pattern that are not sent: the target lacks them, or computes its own.',
    z.optional(z.record(tablePattern, z.array(text).check(z.minLength(1, 'at least one column')))),
  ),
  timeColumns: says('Time column by table pattern, for --window.', z.optional(z.record(tablePattern, text))),
});

const budget = says(
  'How much one tenant may use between two regions.',
  z.strictObject({
    tenant: name,
    from: name,
    to: name,
    bytesPerSecond: z.optional(size),
    bytesPerDay: z.optional(size),
    concurrentJobs: z.optional(z.int().check(z.positive('must be at least 1'))),
    maxLatency: z.optional(duration),
  }),
);

const strategy = z.enum(['last-write', 'source-priority', 'append', 'merge', 'manual']);
const rank = says('Regions, the strongest first.', z.optional(z.array(name)));
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

export const KEY_SCOPES = ['manifest', 'approve', 'request', 'pii:replicate'] as const;

const signing = z.strictObject({
  publicKeys: says(
    'Keys whose signatures count, by name.',
    defaulting(
      z.record(
        name,
        z.strictObject({
          file: says('Public key in PEM; a relative path starts at the configuration file.', text),
          scopes: says(
            'manifest: signs manifests; approve: approves plans and manifests; request: asks for what others approve; pii:replicate: manifests that let personal data leave as it is.',
            z.array(z.enum(KEY_SCOPES)).check(z.minLength(1, 'at least one scope')),
          ),
        }),
      ),
      {},
    ),
  ),
  manifests: says(
    'Directory of signed manifests of tenants and rules, which win over this file; a relative path starts at the configuration file.',
    z.optional(text),
  ),
  approvals: says(
    'How many keys must approve what destroys, promotes or overrides in production, and manifests that let personal data leave.',
    z.optional(
      z.strictObject({
        required: z.int().check(z.positive('must be at least 1')),
        validFor: says('How long an approval is good for. Default 24h.', z.optional(duration)),
      }),
    ),
  ),
});

export const configSchema = says(
  'Configuration of xcrepl.',
  z.strictObject({
    schemaVersion: z.literal(1),
    controlPlane: named('Names this set of regions; part of every stream key.'),
    environment: says(
      'lab: whatever runs says that it is a simulation.',
      defaulting(environment, 'production'),
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
