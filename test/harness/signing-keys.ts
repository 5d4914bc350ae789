/** Pairs of signing keys for tests, sealed with costs so small that opening them takes no time. */

import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sealKey } from '../../src/providers/cosign/sealed-key.ts';
import { signerOf } from '../../src/providers/cosign/signing-key.ts';
import type { Signer } from '../../src/core/signing/signing.ts';

/** Of every key: not secret. */
export const PASSPHRASE = 'correct horse battery';

/** Writes NAME.key and NAME.pub into the directory. */
export const writeKeys = async (directory: string, name: string): Promise<Signer> => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer = signerOf(privateKey);
  const sealed = await sealKey(privateKey, PASSPHRASE, { N: 16, r: 8, p: 1 });
  await writeFile(join(directory, `${name}.key`), sealed, { mode: 0o600 });
  await writeFile(join(directory, `${name}.pub`), signer.publicKey);
  return signer;
};
