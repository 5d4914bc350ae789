/** The manifest that the last run of a mirror left in the target store, and how the next one takes its place. */

import { createHash } from 'node:crypto';
import { XcError } from '../errors/xc-error.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { resumedRead } from '../objects/resumed-read.ts';
import { parseStatement, statementBytes } from '../signing/statement.ts';
import type { Verified } from '../signing/signing.ts';
import { OWN_PREFIX, type ManifestEntry } from './entry.ts';
import {
  MANIFEST_PREDICATE,
  manifestLine,
  parsePredicate,
  readManifest,
  type ManifestPredicate,
} from './manifest.ts';
import { patienceOf, type MirrorPorts } from './ports.ts';

const directoryOf = (mirror: string): string => `${OWN_PREFIX}mirrors/${mirror}/`;
export const statementKey = (mirror: string): string => `${directoryOf(mirror)}manifest.sigstore.json`;

export interface LastManifest {
  readonly key: string;
  /** "sha256:…" */
  readonly digest: string;
  readonly keyId: string;
  readonly says: ManifestPredicate;
  entries(): AsyncIterable<ManifestEntry>;
}

type Reading = Pick<MirrorPorts, 'clock' | 'signal'>;

/**
 * Null where there is none.
 * @param verify a bundle under the keys that are trusted here; XC-2030 for another key's
 * @throws XcError XC-2030, XC-5431
 */
export const lastManifest = async (
  store: ObjectStore,
  mirror: string,
  verify: (bundle: string) => Promise<Verified>,
  reading: Reading,
): Promise<LastManifest | null> => {
  const pointer = await store.head(statementKey(mirror));
  if (pointer === null) return null;
  const subject = `${store.place} ${pointer.key}`;
  const { payload, keyId } = await verify(await textOf(store, pointer.key));
  const statement = parseStatement(payload);
  if (statement?.predicateType !== MANIFEST_PREDICATE)
    throw new XcError('XC-5431', { subject, why: 'its statement is about something else' });
  const says = parsePredicate(statement.predicate, subject);
  if (says.mirror !== mirror)
    throw new XcError('XC-5431', { subject, why: `it is of another mirror, ${says.mirror}` });
  const { subject: key, digest } = statement;
  const info = await store.head(key);
  if (info === null) throw new XcError('XC-5431', { subject: `${store.place} ${key}`, why: 'it is gone' });
  return {
    key,
    digest,
    keyId,
    says,
    entries: () =>
      readManifest(resumedRead(store, info, patienceOf(reading)), `${store.place} ${key}`, digest),
  };
};

const textOf = async (store: ObjectStore, key: string): Promise<string> => {
  const decoder = new TextDecoder();
  let text = '';
  for await (const piece of store.read(key)) text += decoder.decode(piece, { stream: true });
  return text;
};

export interface NewManifest {
  readonly key: string;
  readonly digest: string;
  readonly objects: number;
  readonly bytes: number;
}

/** The lines first, then the signed statement that points to them, then what the last one pointed to goes. */
export const writeManifest = async (
  store: ObjectStore,
  about: Omit<ManifestPredicate, 'objects' | 'bytes' | 'schemaVersion'>,
  entries: AsyncIterable<ManifestEntry>,
  sign: (statement: Uint8Array) => Promise<string>,
): Promise<NewManifest> => {
  const key = `${directoryOf(about.mirror)}${about.run}.manifest`;
  const hash = createHash('sha256');
  let objects = 0;
  let bytes = 0;
  const body = (async function* () {
    for await (const entry of entries) {
      const line = manifestLine(entry);
      hash.update(line);
      objects += 1;
      bytes += entry.bytes;
      yield line;
    }
  })();
  await store.write(key, body, { contentType: 'application/x-ndjson' });
  const digest = `sha256:${hash.digest('hex')}`;
  const predicate: ManifestPredicate = { schemaVersion: 1, ...about, objects, bytes };
  const bundle = await sign(
    statementBytes({ subject: key, digest, predicateType: MANIFEST_PREDICATE, predicate }),
  );
  await store.write(statementKey(about.mirror), one(bundle), { contentType: 'application/json' });
  for await (const { key: old } of store.list(directoryOf(about.mirror)))
    if (old.endsWith('.manifest') && old !== key) await store.remove(old);
  return { key, digest, objects, bytes };
};

const one = async function* (text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
};
