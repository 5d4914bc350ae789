/**
 * An entry of the log: who did what to what, and how it looked before and after, as hashes. No value of a row, no secret.
 * Its bytes are canonical JSON (RFC 8785), so that whoever has the fields can make the leaf again.
 */

import { Buffer } from 'node:buffer';
import canonicalize from 'canonicalize';
import * as z from 'zod/mini';
import { MAX_ENTRY_BYTES } from './tiles.ts';

const sha256 = z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/));

export const auditEntrySchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** When it happened, ISO 8601 in UTC. */
  at: z.iso.datetime(),
  controlPlane: z.string(),
  tenant: z.nullable(z.string()),
  /** Who: "user@host", or a key's id where a signature says so. */
  actor: z.string(),
  /** Noun and verb: "replication.run". */
  action: z.string(),
  subject: z.string(),
  before: z.nullable(sha256),
  after: z.nullable(sha256),
  plan: z.nullable(z.string()),
  run: z.nullable(z.string()),
  /** Hashes, counts, positions, names of steps. */
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  /** Where the entry was written in the same transaction as what it tells of: it is appended once, by this. */
  outbox: z.nullable(z.strictObject({ database: z.string(), id: z.string() })),
});

export type AuditEntry = z.output<typeof auditEntrySchema>;

/**
 * An entry in the order of RFC 8785, which takes strings and numbers as JSON.stringify writes them: the order of the keys
 * is all that is left to do, and the entry's own are known. Five times as fast as a walk over whatever comes.
 */
const canonicalText = (entry: AuditEntry): string => {
  const facts: Record<string, unknown> = {};
  for (const name of Object.keys(entry.facts).toSorted()) {
    if (PECULIAR_NAME.test(name)) return canonicalize(entry) ?? '';
    facts[name] = entry.facts[name];
  }
  const text = JSON.stringify({
    action: entry.action,
    actor: entry.actor,
    after: entry.after,
    at: entry.at,
    before: entry.before,
    controlPlane: entry.controlPlane,
    facts,
    outbox: entry.outbox && { database: entry.outbox.database, id: entry.outbox.id },
    plan: entry.plan,
    run: entry.run,
    schemaVersion: entry.schemaVersion,
    subject: entry.subject,
    tenant: entry.tenant,
  });
  return text.includes(HALF_A_PAIR) ? (canonicalize(entry) ?? '') : text;
};

/** What an object would put first, or not hold. */
const PECULIAR_NAME = /^(?:\d|__proto__$)/;
/** JSON.stringify escapes half of a surrogate pair; canonical JSON has none. */
const HALF_A_PAIR = '\\ud';

/** @throws RangeError where it is too long for a bundle of entries */
export const entryBytes = (entry: AuditEntry): Buffer => {
  const bytes = Buffer.from(canonicalText(entry));
  if (bytes.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry of ${bytes.length} bytes`);
  return bytes;
};

/** Whether the bytes are an entry in its only form: another text with the same fields would be another leaf. */
export const isCanonicalEntry = (bytes: Buffer): boolean => {
  const entry = parseEntry(bytes);
  try {
    return entry !== null && canonicalText(entry) === bytes.toString();
  } catch {
    // Half of a surrogate pair has no canonical form.
    return false;
  }
};

/** Null where the bytes are no entry. */
export const parseEntry = (bytes: Uint8Array): AuditEntry | null => {
  try {
    return auditEntrySchema.parse(JSON.parse(textOf(bytes)));
  } catch {
    return null;
  }
};

const textOf = (bytes: Uint8Array): string =>
  (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)).toString();
