/** Reads a plan back from JSON. What comes from a file is unknown until every part that a run relies on was checked. */

import * as z from 'zod/mini';
import { XcError } from '../errors/xc-error.ts';
import { planDigest } from '../plan/basis.ts';
import type { Plan, Step } from '../plan/plan.ts';

const base = { id: z.string(), stream: z.string(), dependsOn: z.array(z.string()) };
const names = z.array(z.string());
const published = z.array(
  z.strictObject({
    table: z.string(),
    filter: z.nullable(z.strictObject({ column: z.string(), values: names })),
    columns: z.nullable(names),
  }),
);
const window = z.strictObject({
  column: z.string(),
  from: z.nullable(z.string()),
  to: z.nullable(z.string()),
});

const range = z.strictObject({ from: z.nullable(z.string()), to: z.nullable(z.string()) });

const step = z.discriminatedUnion('kind', [
  z.strictObject({
    ...base,
    kind: z.literal('publish-tables'),
    publication: z.string(),
    tables: published,
    insertOnly: published,
  }),
  z.strictObject({
    ...base,
    kind: z.literal('create-slot'),
    slot: z.string(),
    links: names,
    failover: z.boolean(),
    repair: z.optional(z.literal(true)),
    tables: z.optional(
      z.array(
        z.strictObject({
          table: z.string(),
          links: names,
          make: z.optional(z.literal(true)),
          again: z.optional(z.literal(true)),
        }),
      ),
    ),
  }),
  z.strictObject({
    ...base,
    kind: z.literal('copy-table'),
    slot: z.string(),
    links: names,
    table: z.string(),
    into: z.optional(z.string()),
    repair: z.optional(z.literal(true)),
    chunks: z.number(),
    rows: z.number(),
    bytes: z.number(),
    window: z.nullable(window),
  }),
  z.strictObject({
    ...base,
    kind: z.literal('stream-changes'),
    slot: z.string(),
    until: z.enum(['source-position-at-start', 'stopped']),
  }),
  z.strictObject({ ...base, kind: z.literal('split-links'), slot: z.string(), links: names }),
  z.strictObject({
    ...base,
    kind: z.literal('merge-links'),
    slot: z.string(),
    links: names,
    tables: z.optional(names),
  }),
  z.strictObject({
    ...base,
    kind: z.literal('remove-tables'),
    tables: z.array(z.strictObject({ table: z.string(), relation: z.int(), links: names })),
  }),
  z.strictObject({ ...base, kind: z.literal('move-links'), links: names, from: z.string() }),
  z.strictObject({ ...base, kind: z.literal('remove-links'), links: names }),
  z.strictObject({
    ...base,
    kind: z.literal('verify'),
    links: names,
    extent: z.enum(['changed', 'full']),
    window: z.optional(range),
  }),
  z.strictObject({
    ...base,
    kind: z.literal('repair-rows'),
    table: z.string(),
    links: names,
    seed: z.string().check(z.regex(/^[0-9a-f]{16}$/)),
    hashing: z.enum(['server', 'portable']),
    epoch: z.int(),
    rows: z.array(
      z.strictObject({
        kind: z.enum(['changed', 'missing', 'extra']),
        key: z.array(z.nullable(z.string())),
        tenant: z.nullable(z.string()),
        source: z.nullable(z.string()),
        target: z.nullable(z.string()),
      }),
    ),
  }),
]);

type Keys<S, K> = keyof Extract<S, { readonly kind: K }>;
type Read = {
  [K in Step['kind']]: [Keys<Step, K>] extends [Keys<z.output<typeof step>, K>] ? true : false;
};
/** Compiles only while every key of every kind of step can be read back. */
const READ: Read = {
  'publish-tables': true,
  'create-slot': true,
  'copy-table': true,
  'stream-changes': true,
  'split-links': true,
  'merge-links': true,
  'move-links': true,
  'remove-links': true,
  'remove-tables': true,
  verify: true,
  'repair-rows': true,
};
void READ;

const finding = z.looseObject({
  check: z.string(),
  subject: z.string(),
  verdict: z.enum(['pass', 'fail', 'unknown']),
  severity: z.enum(['info', 'warn', 'block']),
  seen: z.string(),
});

const plan = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.string().check(z.minLength(1)),
  kind: z.enum(['replicate', 'repair-rows']),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  mode: z.enum(['live', 'simulation']),
  basis: z.string(),
  ground: z.string(),
  config: z.string(),
  wish: z.strictObject({
    links: names,
    tables: z.optional(names),
    window: z.optional(range),
    chunkBytes: z.optional(z.int()),
    repair: z.optional(z.literal(true)),
    existing: z.optional(z.literal('replace')),
    strict: z.boolean(),
  }),
  epochs: z.record(z.string(), z.int()),
  steps: z.array(step),
  policy: z.array(
    z.strictObject({
      gate: z.enum(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7', 'residency']),
      name: z.string(),
      verdict: z.enum(['PASS', 'BLOCKED', 'FAIL', 'NOT_ENFORCED']),
      simulated: z.boolean(),
      reason: z.string(),
    }),
  ),
  estimate: z.strictObject({
    rows: z.number(),
    bytes: z.number(),
    walBytes: z.number(),
    minutes: z.number(),
  }),
  findings: z.array(finding),
  digest: z.string(),
});

/** @throws XcError XC-1303 with every part that does not fit, XC-3003 when it was edited */
export const parsePlan = (text: string, subject: string): Plan => {
  const bad = (why: string): XcError => new XcError('XC-1303', { subject, why });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(error instanceof Error ? error.message : 'no JSON');
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === 'number' && version > 1)
    throw bad(`it has schema version ${version}; this program knows 1`);
  const parsed = plan.safeParse(value);
  if (!parsed.success)
    throw bad(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
  const read = parsed.data as Plan;
  if (planDigest(read) !== read.digest)
    throw new XcError('XC-3003', { subject, why: 'its content does not have the digest that it names' });
  return read;
};
