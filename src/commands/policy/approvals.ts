/** Approvals that lie beside what they approve, and who asked for it. */

import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import type { Approval } from '../../core/policy/gates/approval.ts';
import { approvalOf } from '../../core/signing/approval-statement.ts';
import type { PublicKey } from '../../core/signing/signing.ts';
import { bundles } from '../../providers/cosign/bundles.ts';
import { namesOf, type TrustedKey } from './trusted-keys.ts';

/** FILE.approval.NAME.json */
export const approvalPath = (file: string, name: string): string => `${file}.approval.${name}.json`;

export const approvalFilesBeside = async (path: string): Promise<string[]> => {
  const names = await readdir(dirname(path)).catch((error: unknown) => {
    if (isErrno(error) && error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.startsWith(`${basename(path)}.approval.`) && name.endsWith('.json'))
    .toSorted()
    .map((name) => join(dirname(path), name));
};

/** @throws XcError XC-1013, XC-3031 for one that does not hold, XC-3032 for one of a key that nobody knows */
export const readApprovals = async (
  files: readonly string[],
  keys: readonly TrustedKey[],
): Promise<readonly Approval[]> => {
  const names = namesOf(keys, 'approve');
  return await Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, 'utf8').catch((error: unknown) => {
        throw new XcError('XC-1013', {
          subject: file,
          why: error instanceof Error ? error.message : String(error),
        });
      });
      return approvalOf(
        await verifiedBy(
          text,
          file,
          keys.map(({ key }) => key),
        ),
        names,
        file,
      );
    }),
  );
};

const verifiedBy = async (text: string, file: string, keys: readonly PublicKey[]) => {
  try {
    return await bundles.verify(text, null, keys);
  } catch (error) {
    if (!(error instanceof XcError)) throw error;
    throw new XcError(error.code === 'XC-2042' ? 'XC-3032' : 'XC-3031', {
      subject: file,
      ...(error.why === undefined ? {} : { why: error.why }),
      cause: error,
    });
  }
};

/**
 * Key of whoever signed the file as its requester: FILE.sigstore.json, as `policy sign` writes it.
 * @returns null where there is no signature. @throws XcError XC-2030, XC-2042 for one that does not hold
 */
export const requesterOf = async (path: string, keys: readonly TrustedKey[]): Promise<string | null> => {
  const bundle = await readFile(`${path}.sigstore.json`, 'utf8').catch((error: unknown) => {
    if (isErrno(error) && error.code === 'ENOENT') return null;
    throw error;
  });
  if (bundle === null) return null;
  const { keyId } = await bundles.verify(
    bundle,
    await readFile(path),
    keys.map(({ key }) => key),
  );
  return keyId;
};
