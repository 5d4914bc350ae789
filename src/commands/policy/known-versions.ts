/** The newest version of each manifest that was ever in force here: .xcrepl/manifests.json. Only runs write it. */

import { resolve } from 'node:path';
import * as z from 'zod/mini';
import type { ManifestInForce } from '../../core/config/loaded.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Version } from '../../core/signing/pointer.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import { readTextNow } from '../../providers/system/files.ts';

const schema = z.strictObject({
  schemaVersion: z.literal(1),
  versions: z.record(z.string(), z.strictObject({ version: z.int(), digest: z.string() })),
});

const pathOf = (cwd: string): string => resolve(cwd, '.xcrepl', 'manifests.json');

/** @throws XcError XC-6002 where the file is damaged: without it a rollback could not be seen */
export const knownVersions = (cwd: string): Readonly<Record<string, Version>> => {
  const path = pathOf(cwd);
  const text = readTextNow(path);
  if (text === null) return {};
  try {
    return schema.parse(JSON.parse(text)).versions;
  } catch (error) {
    throw new XcError('XC-6002', { subject: path, why: 'it is damaged', cause: error });
  }
};

export const rememberVersions = async (cwd: string, manifests: readonly ManifestInForce[]): Promise<void> => {
  const signed = manifests.filter(({ signedBy }) => signedBy !== null);
  const known = knownVersions(cwd);
  if (signed.every(({ id, version }) => known[id]?.version === version)) return;
  const versions = {
    ...known,
    ...Object.fromEntries(signed.map(({ id, version, digest }) => [id, { version, digest }])),
  };
  await writeDurably(pathOf(cwd), `${JSON.stringify({ schemaVersion: 1, versions }, null, 2)}\n`);
};
