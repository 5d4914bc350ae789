/**
 * Cases that declare what the gates say: an intent, facts, and the expected verdict of gates. What a case leaves out of
 * its intent has plain values; what it leaves out of its facts was not observed.
 */

import { parse as parseYaml } from 'yaml';
import * as z from 'zod/mini';
import { mistakesOf } from '../config/issues.ts';
import { pathText } from '../config/mistake.ts';
import { PII_CLASSES } from '../config/tenant-schema.ts';
import { XcError } from '../errors/xc-error.ts';
import { GATE_IDS, INTENT_KINDS, type Facts, type Intent } from './gates/gate.ts';
import { EXITS } from './gates/residency-gate.ts';

const text = z.string();
const texts = z.array(z.string());
const amount = z.optional(z.number());

const intentSchema = z.strictObject({
  kind: z.enum(INTENT_KINDS),
  subject: z._default(text, 'case'),
  environment: z._default(z.enum(['production', 'staging', 'lab']), 'production'),
  mode: z._default(z.enum(['live', 'simulation']), 'live'),
  digest: z._default(z.nullable(text), null),
  destroys: z._default(texts, []),
  nowMs: z._default(z.number(), 0),
});

const factsSchema = z.strictObject({
  personal: z.optional(
    z.array(
      z.strictObject({
        tenant: text,
        ruled: z.boolean(),
        unnamed: z._default(texts, []),
        bare: z._default(texts, []),
        manifest: z._default(z.nullable(z.strictObject({ scopes: texts, approved: z.boolean() })), null),
      }),
    ),
  ),
  documents: z.optional(
    z.array(
      z.strictObject({ name: text, signedBy: z.nullable(text), problem: z._default(z.nullable(text), null) }),
    ),
  ),
  approval: z.optional(
    z.strictObject({
      required: z.nullable(z.int()),
      keys: z.int(),
      requester: z.nullable(text),
      given: z.array(
        z.strictObject({
          keyId: text,
          name: z.nullable(text),
          digest: text,
          approvedAtMs: z.number(),
          expiresAtMs: z.number(),
        }),
      ),
    }),
  ),
  observability: z.optional(z.strictObject({ longRunning: z.boolean(), servedAt: z.nullable(text) })),
  isolation: z.optional(
    z.array(
      z.strictObject({
        tenant: text,
        by: z.enum(['column', 'schema', 'database', 'prefix']),
        owns: text,
        column: z.optional(text),
        tables: z.optional(z.array(text)),
        foreign: amount,
      }),
    ),
  ),
  budgets: z.optional(
    z.array(
      z.strictObject({
        tenant: text,
        from: text,
        to: text,
        bytesPerSecond: amount,
        bytesPerDay: amount,
        concurrentJobs: amount,
        maxLatencyMs: amount,
        usedToday: amount,
        jobs: amount,
        latencyMs: amount,
      }),
    ),
  ),
  integrity: z.optional(
    z.array(z.strictObject({ subject: text, sha256: z.enum(['verified', 'mismatch', 'planned', 'none']) })),
  ),
  flows: z.optional(
    z.array(
      z.strictObject({
        tenant: text,
        exit: z.optional(z.enum(EXITS)),
        target: z.strictObject({ region: text, zone: text }),
        residency: z.optional(
          z.strictObject({ zones: texts, redacted: z._default(z.enum(['any', 'zones']), 'zones') }),
        ),
        rules: z.optional(
          z.array(
            z.strictObject({
              column: text,
              action: z.enum(['allow', 'hash', 'mask', 'drop']),
              pii: z.optional(z.enum(PII_CLASSES)),
              key: z.optional(text),
            }),
          ),
        ),
      }),
    ),
  ),
});

const expectation = z.union([
  z.enum(['PASS', 'BLOCKED', 'FAIL']),
  z.strictObject({
    verdict: z.enum(['PASS', 'BLOCKED', 'FAIL']),
    /** A part of the reason. */
    says: z.optional(text),
    branch: z.optional(text),
  }),
]);

const caseSchema = z.strictObject({
  name: z.string().check(z.minLength(1, 'must not be empty')),
  intent: intentSchema,
  facts: z._default(factsSchema, {}),
  expect: z
    .partialRecord(z.enum(GATE_IDS), expectation)
    .check(z.refine((wanted) => Object.keys(wanted).length > 0, 'at least one gate')),
});

const fileSchema = z.strictObject({ schemaVersion: z.literal(1), cases: z.array(z.unknown()) });

export interface PolicyCase {
  readonly name: string;
  readonly intent: Intent;
  readonly facts: Facts;
  readonly expect: z.output<typeof caseSchema>['expect'];
}

/** A case as the file has it, or why it is none. */
export type ReadCase =
  { readonly name: string; readonly case: PolicyCase } | { readonly name: string; readonly error: string };

/** @throws XcError XC-1404 for what is no file of cases, or names keys that are not known */
export const parseCases = (source: string, file: string): readonly ReadCase[] => {
  const value = ((): unknown => {
    try {
      return parseYaml(source);
    } catch (error) {
      throw new XcError('XC-1404', {
        subject: file,
        why: error instanceof Error ? error.message : 'no YAML',
      });
    }
  })();
  const read = fileSchema.safeParse(value);
  if (!read.success)
    throw new XcError('XC-1404', { subject: file, why: mistakes(read.error.issues, fileSchema, value) });
  return read.data.cases.map((one, at) => {
    const name = nameOf(one) ?? `cases[${at}]`;
    const parsed = caseSchema.safeParse(one);
    return parsed.success
      ? // Optional parts are absent or given: what JSON and YAML hold is never undefined.
        { name, case: { ...parsed.data, facts: parsed.data.facts as Facts, name } }
      : { name, error: mistakes(parsed.error.issues, caseSchema, one) };
  });
};

const nameOf = (value: unknown): string | undefined => {
  const name = (value as { name?: unknown } | null)?.name;
  return typeof name === 'string' && name !== '' ? name : undefined;
};

const mistakes = (issues: readonly z.core.$ZodIssue[], schema: z.core.$ZodType, value: unknown): string =>
  mistakesOf(issues, schema, value)
    .map(({ path, message }) => `${pathText(path)}: ${message}`)
    .join('; ');
