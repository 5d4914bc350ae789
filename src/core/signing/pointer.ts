/**
 * The signed pointer to the newest version of a document: {name, version, digest, expires}. It keeps whoever can write
 * files, and has no key, from bringing back an old version (rollback), from hiding a new one (freeze), and from putting
 * together what was not published together (mix and match), as The Update Framework names them.
 */

import { Buffer } from 'node:buffer';
import canonicalize from 'canonicalize';
import * as z from 'zod/mini';
import { XcError } from '../errors/xc-error.ts';

export const POINTER_MEDIA_TYPE = 'application/vnd.xcrepl.latest+json';

const pointerSchema = z.strictObject({
  schemaVersion: z.literal(1),
  name: z.string(),
  version: z.int(),
  digest: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)),
  expires: z.iso.datetime(),
});

export type Pointer = z.output<typeof pointerSchema>;
export type Version = Pick<Pointer, 'version' | 'digest'>;

export const pointerBytes = (pointer: Pointer): Buffer => Buffer.from(canonicalize(pointer) ?? '');

/** @throws XcError XC-2034 */
export const parsePointer = (payload: Uint8Array, payloadType: string | null, file: string): Pointer => {
  const bad = new XcError('XC-2034', { subject: file, why: 'it holds no pointer' });
  if (payloadType !== POINTER_MEDIA_TYPE) throw bad;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(payload).toString());
  } catch {
    throw bad;
  }
  const parsed = pointerSchema.safeParse(value);
  if (!parsed.success) throw bad;
  return parsed.data;
};

/**
 * @param found what lies beside the pointer
 * @param known the newest version that was ever in force here, if any
 * @throws XcError XC-2041 for a mixed pair, XC-2040 for an expired pointer, XC-2039 for an older version
 */
export const checkPointer = (
  pointer: Pointer,
  found: Version & { readonly name: string },
  known: Version | undefined,
  nowMs: number,
): void => {
  const subject = found.name;
  for (const part of ['name', 'version', 'digest'] as const)
    if (pointer[part] !== found[part])
      throw new XcError('XC-2041', {
        subject,
        why: `the pointer says ${part} ${pointer[part]}, the manifest ${found[part]}`,
      });
  if (Date.parse(pointer.expires) <= nowMs)
    throw new XcError('XC-2040', { subject, why: `it expired at ${pointer.expires}` });
  if (known) refuseOlder(pointer, known, subject, 'here');
};

/** @param where the known one was in force: "here", "on eu". @throws XcError XC-2039 */
export const refuseOlder = (found: Version, known: Version, subject: string, where: string): void => {
  if (found.version < known.version)
    throw new XcError('XC-2039', {
      subject,
      why: `it is version ${found.version}, and version ${known.version} was in force ${where}`,
    });
  if (found.version === known.version && found.digest !== known.digest)
    throw new XcError('XC-2039', {
      subject,
      why: `version ${found.version} was in force ${where} with another content`,
    });
};
