/**
 * in-toto Statement v1 (github.com/in-toto/attestation, spec/v1/statement.md) about one thing of ours, named by its
 * sha256. Statements are signed in DSSE envelopes, and their bytes are canonical JSON (RFC 8785).
 */

import { Buffer } from 'node:buffer';
import canonicalize from 'canonicalize';
import * as z from 'zod/mini';

export const STATEMENT_MEDIA_TYPE = 'application/vnd.in-toto+json';
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

const statementSchema = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z
    .array(
      z.object({
        name: z.string(),
        digest: z.object({ sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)) }),
      }),
    )
    .check(z.length(1)),
  predicateType: z.string(),
  predicate: z.record(z.string(), z.unknown()),
});

export interface Statement {
  readonly subject: string;
  /** "sha256:…" */
  readonly digest: string;
  readonly predicateType: string;
  readonly predicate: Readonly<Record<string, unknown>>;
}

export const statementBytes = ({ subject, digest, predicateType, predicate }: Statement): Buffer =>
  Buffer.from(
    canonicalize({
      _type: STATEMENT_TYPE,
      subject: [{ name: subject, digest: { sha256: digest.replace(/^sha256:/, '') } }],
      predicateType,
      predicate,
    }) ?? '',
  );

/** Null for what is no statement about one thing. */
export const parseStatement = (bytes: Uint8Array): Statement | null => {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return null;
  }
  const parsed = statementSchema.safeParse(value);
  if (!parsed.success) return null;
  const { subject, predicateType, predicate } = parsed.data;
  const [about] = subject;
  return { subject: about!.name, digest: `sha256:${about!.digest.sha256}`, predicateType, predicate };
};
