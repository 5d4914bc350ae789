/** The audit log of this working directory: its files, its key, and its name. */

import { userInfo, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { rm } from 'node:fs/promises';
import type { KeyObject } from 'node:crypto';
import type { AuditLog, LogKeys } from '../../core/audit/log.ts';
import { openAuditLog } from '../../providers/audit-files/open-log.ts';
import { openLogKey, readLogKey } from '../../providers/audit-files/log-key.ts';
import { noteSigner, noteVerifier, publicKeyOf, signerOf } from '../../providers/cosign/signing-key.ts';
import { takeLock } from '../../providers/lab/file-lock.ts';
import type { Host } from '../frame/host.ts';

export interface KnownLog {
  readonly path: string;
  /** "xcrepl/CONTROL-PLANE/KEY": a log of another working directory has another key, and is another log. */
  readonly origin: string;
  readonly keys: LogKeys;
}

const pathOf = (host: Pick<Host, 'cwd'>): string => resolve(host.cwd, '.xcrepl', 'audit');

const KEY_CHARACTERS = 8;

const knownLog = (path: string, controlPlane: string, key: KeyObject): KnownLog => {
  const signer = signerOf(key);
  const id = Buffer.from(signer.keyId, 'base64').toString('hex').slice(0, KEY_CHARACTERS);
  const origin = `xcrepl/${controlPlane}/${id}`;
  const verifier = noteVerifier(origin, publicKeyOf(signer.publicKey, join(path, 'log-key.pub')));
  return { path, origin, keys: { signer: noteSigner(origin, signer), verifiers: [verifier] } };
};

/** For reading alone; null before the first entry. */
export const findLog = async (host: Host): Promise<KnownLog | null> => {
  const { config } = await host.config();
  const key = await readLogKey(pathOf(host));
  return key && knownLog(pathOf(host), config.controlPlane, key);
};

/** For appending; made where it is not there. */
export const openLog = async (host: Host): Promise<KnownLog & { readonly log: AuditLog }> => {
  const { config } = await host.config();
  const known = knownLog(pathOf(host), config.controlPlane, await openLogKey(pathOf(host)));
  const log = openAuditLog({
    ...known,
    controlPlane: config.controlPlane,
    actor: `${userInfo().username}@${hostname()}`,
    clock: host.clock,
    lock: (path) => ({
      take: async () => {
        await takeLock(path);
        return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
      },
    }),
  });
  return { ...known, log };
};
