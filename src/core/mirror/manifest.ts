/**
 * What a mirror's target was proven to hold: a line a key, in the order of keys, and a signed statement of the whole. The
 * statement is the pointer: a manifest that it does not name is none, so a torn write never counts.
 */

import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { XcError } from '../errors/xc-error.ts';
import { asHexDigest } from '../objects/hex-digest.ts';
import type { ManifestEntry } from './entry.ts';

export const MANIFEST_PREDICATE = 'https://xcrepl.dev/mirror-manifest/v1';

const predicate = z.strictObject({
  schemaVersion: z.literal(1),
  mirror: z.string(),
  tenant: z.nullable(z.string()),
  source: z.strictObject({ region: z.string(), prefix: z.string() }),
  target: z.strictObject({ region: z.string(), prefix: z.string() }),
  run: z.string(),
  at: z.iso.datetime(),
  objects: z.int(),
  bytes: z.int(),
  /** False where some objects of the source are not at the target as they should be. */
  complete: z.boolean(),
});
export type ManifestPredicate = z.output<typeof predicate>;

/** @throws XcError XC-5431 */
export const parsePredicate = (value: unknown, subject: string): ManifestPredicate => {
  const result = predicate.safeParse(value);
  if (result.success) return result.data;
  throw new XcError('XC-5431', { subject, why: 'its statement is none of a mirror’s manifest' });
};

const encoder = new TextEncoder();

export const manifestLine = ({ key, bytes, sha256, source, target }: ManifestEntry): Uint8Array =>
  encoder.encode(`${JSON.stringify([key, bytes, sha256, source, target])}\n`);

const line = z.tuple([z.string(), z.int(), z.string(), z.string(), z.string()]);

const parseLine = (text: string): ManifestEntry | null => {
  try {
    const [key, bytes, digest, source, target] = line.parse(JSON.parse(text));
    const sha256 = asHexDigest(digest);
    return sha256 && { key, bytes, sha256, source, target };
  } catch {
    return null;
  }
};

/**
 * The lines of a manifest, as they come.
 * @param digest "sha256:…", as the statement has it, judged at the end; null for lines of this very run
 * @throws XcError XC-5431 where it is another one
 */
export async function* readManifest(
  body: AsyncIterable<Uint8Array>,
  subject: string,
  digest: string | null,
): AsyncGenerator<ManifestEntry> {
  const damaged = (why: string): XcError => new XcError('XC-5431', { subject, why });
  const hash = createHash('sha256');
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of body) {
    hash.update(piece);
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      const entry = parseLine(text);
      if (entry === null) throw damaged('a line is none of a manifest');
      yield entry;
    }
  }
  if (digest === null) return;
  if (rest !== '' || `sha256:${hash.digest('hex')}` !== digest)
    throw damaged(`it does not have the digest ${digest} that its statement names`);
}
