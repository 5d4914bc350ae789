/** A new pair of keys as two files. */

import { generateKeyPairSync } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { sealKey } from '../../providers/cosign/sealed-key.ts';
import { signerOf } from '../../providers/cosign/signing-key.ts';
import type { Host, Outcome } from '../frame/host.ts';
import { passphraseOf } from './passphrase.ts';

export interface KeygenOptions {
  readonly out: string;
  readonly passphrase?: string | undefined;
}

export const makeKeys = async (host: Host, { out, passphrase }: KeygenOptions): Promise<Outcome> => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { keyId, publicKey } = signerOf(privateKey);
  const [keyFile, publicFile] = [`${out}.key`, `${out}.pub`];
  const sealed = await sealKey(privateKey, await passphraseOf(host, passphrase));
  const paths = [resolve(host.cwd, keyFile), resolve(host.cwd, publicFile)] as const;
  if (!host.flags.dryRun) {
    await writeNew(paths[0], sealed, 0o600);
    await writeNew(paths[1], publicKey, 0o644).catch(async (error: unknown) => {
      await rm(paths[0]);
      throw error;
    });
  }
  return {
    document: {
      schemaVersion: 1,
      keyId,
      privateKey: keyFile,
      publicKey: publicFile,
      ...(host.flags.dryRun ? { dryRun: true } : {}),
    },
    table: () =>
      `${host.flags.dryRun ? 'would write' : 'wrote'} ${keyFile} (keep it secret) and ${publicFile}\nkey id ${keyId}`,
  };
};

/** @throws XcError XC-1008 where the file is there, XC-6002 */
const writeNew = async (path: string, text: string, mode: number): Promise<void> => {
  try {
    await using file = await open(path, 'wx', mode);
    await file.writeFile(text);
    await file.sync();
  } catch (error) {
    if (isErrno(error) && error.code === 'EEXIST')
      throw new XcError('XC-1008', {
        subject: path,
        why: 'a key is never overwritten',
        next: 'give another --out, or move the file away',
      });
    throw new XcError('XC-6002', {
      subject: path,
      why: error instanceof Error ? error.message : String(error),
    });
  }
};
