/**
 * The file of a plan: one JSON document whose entries stand on lines of their own, so that a plan of any length is
 * written and read line by line. Its last line holds the totals and the digest of all lines before it.
 */

import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { XcError } from '../errors/xc-error.ts';
import { asHexDigest } from '../objects/hex-digest.ts';
import { ACTIONS, type Entry, type Side } from './entry.ts';
import type { Totals } from './totals.ts';

const end = z.strictObject({
  region: z.string(),
  prefix: z.string(),
});

const headSchema = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal('mirror'),
  id: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
  mode: z.enum(['live', 'simulation']),
  /** Digest of the configuration that it was made under. */
  config: z.string(),
  mirror: z.string(),
  tenant: z.nullable(z.string()),
  source: end,
  target: end,
  filter: z.strictObject({ include: z.array(z.string()), exclude: z.array(z.string()) }),
  immutable: z.boolean(),
});

export type PlanHead = z.output<typeof headSchema>;

const counts = z.strictObject({
  copy: z.int(),
  replace: z.int(),
  delete: z.int(),
  same: z.int(),
  unknown: z.int(),
});
const tailSchema = z.strictObject({
  totals: z.strictObject({ objects: counts, bytes: counts }),
  digest: z.string(),
});
export type PlanTail = z.output<typeof tailSchema>;

const side = z.tuple([z.int(), z.string(), z.number(), z.nullable(z.string())]);
const lineSchema = z.strictObject({
  action: z.enum(ACTIONS),
  key: z.string(),
  source: z.nullable(side),
  target: z.nullable(side),
  proven: z.optional(z.literal(true)),
});

const sideLine = (one: Side | null) => one && [one.bytes, one.version, one.modifiedAtMs, one.sha256];

const entryLine = ({ action, key, source, target, proven }: Entry): string =>
  JSON.stringify({
    action,
    key,
    source: sideLine(source),
    target: sideLine(target),
    ...(proven ? { proven } : {}),
  });

/** Lines without their ends. Sides are arrays of bytes, version, time of change (ms) and sha256. */
export class PlanWriter {
  readonly #hash = createHash('sha256');
  #first = true;

  head(head: PlanHead): string {
    return this.#said(`{"head":${JSON.stringify(head)},"entries":[`);
  }

  entry(entry: Entry): string {
    const line = this.#said(`${this.#first ? ' ' : ','}${entryLine(entry)}`);
    this.#first = false;
    return line;
  }

  tail(totals: Totals): { readonly line: string; readonly digest: string } {
    const digest = `sha256:${this.#hash.copy().update(JSON.stringify(totals)).digest('hex')}`;
    return { line: `],"totals":${JSON.stringify(totals)},"digest":${JSON.stringify(digest)}}`, digest };
  }

  #said(line: string): string {
    this.#hash.update(`${line}\n`);
    return line;
  }
}

const bad = (subject: string, why: string): XcError => new XcError('XC-1303', { subject, why });

const parsed = <S extends z.ZodMiniType>(schema: S, text: string, subject: string): z.output<S> => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw bad(subject, error instanceof Error ? error.message : 'no JSON');
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw bad(
    subject,
    result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '),
  );
};

const toSide = ([bytes, version, modifiedAtMs, sha256]: z.output<typeof side>): Side => ({
  bytes,
  version,
  modifiedAtMs,
  sha256: sha256 === null ? null : asHexDigest(sha256),
});

const HEAD_END = ',"entries":[';

/** @throws XcError XC-1303 */
export const parseHead = (line: string, subject: string): PlanHead => {
  if (!line.startsWith('{"head":') || !line.endsWith(HEAD_END))
    throw bad(subject, 'its first line is none of a plan of xcrepl objects sync');
  return parsed(headSchema, line.slice('{"head":'.length, -HEAD_END.length), subject);
};

/**
 * The entries of a plan's lines, the first line among them.
 * @throws XcError XC-1303 where it is no plan or ends early, XC-3003 where it was edited
 */
export async function* readEntries(lines: AsyncIterable<string>, subject: string): AsyncGenerator<Entry> {
  const hash = createHash('sha256');
  let first = true;
  let tail: PlanTail | null = null;
  for await (const line of lines) {
    if (tail !== null) throw bad(subject, 'something stands behind its end');
    if (line.startsWith(']')) {
      tail = parsed(tailSchema, `{${line.slice(2)}`, subject);
      continue;
    }
    hash.update(`${line}\n`);
    if (first) parseHead(line, subject);
    else {
      const { source, target, proven, ...rest } = parsed(lineSchema, line.slice(1), subject);
      yield {
        ...rest,
        source: source && toSide(source),
        target: target && toSide(target),
        proven: proven ?? false,
      };
    }
    first = false;
  }
  if (tail === null) throw bad(subject, 'it ends before its totals');
  const digest = `sha256:${hash.update(JSON.stringify(tail.totals)).digest('hex')}`;
  if (digest !== tail.digest)
    throw new XcError('XC-3003', { subject, why: 'its content does not have the digest that it names' });
}
