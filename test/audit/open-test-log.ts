/** A log with a key of its own and the lock that commands use, in a directory of a test. */

import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import type { AuditLog } from '../../src/core/audit/log.ts';
import type { NoteSigner, NoteVerifier } from '../../src/core/audit/note.ts';
import { openAuditLog } from '../../src/providers/audit-files/open-log.ts';
import { takeLock } from '../../src/providers/lab/file-lock.ts';

export const TEST_ORIGIN = 'xcrepl/acme';

export const testKey = (privateKey: KeyObject): NoteSigner & NoteVerifier => {
  const publicKey = createPublicKey(privateKey);
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    name: TEST_ORIGIN,
    keyId: createHash('sha256').update(spki).digest().subarray(0, 4),
    sign: (text) => Promise.resolve(sign('sha256', text, privateKey)),
    verify: (text, signature) => verify('sha256', text, publicKey, signature),
  };
};

/** @param pem the private key */
export const openTestLog = (path: string, pem: string): AuditLog => {
  const key = testKey(createPrivateKey(pem));
  return openAuditLog({
    path,
    controlPlane: 'acme',
    origin: TEST_ORIGIN,
    actor: 'sre@host',
    keys: { signer: key, verifiers: [key] },
    clock: { nowMs: () => 1_790_000_000_000, sleep: () => Promise.resolve() },
    lock: (lockPath) => ({
      take: async () => {
        await mkdir(path, { recursive: true });
        await takeLock(lockPath);
        return { [Symbol.asyncDispose]: () => rm(lockPath, { force: true }) };
      },
    }),
  });
};
