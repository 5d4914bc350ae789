/** The audit log of this working directory: its files, its key, and its name. */

import { userInfo, hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { rm } from 'node:fs/promises';
import type { KeyObject } from 'node:crypto';
import { parseEntry } from '../../core/audit/entry.ts';
import type { AuditLog, LogKeys } from '../../core/audit/log.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { openAuditLog, readLog, type ReadLog } from '../../providers/audit-files/open-log.ts';
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

/**
 * A checkpoint that carries this key's name under another control plane was signed here, before the name was changed.
 * @throws XcError XC-5290
 */
const ofThisControlPlane = async (known: KnownLog): Promise<KnownLog> => {
  const log = readLog(known.path);
  const [, own, id] = known.origin.split('/');
  const [, other, theirs] = (await log.readCheckpoint())?.split('\n')[0]?.split('/') ?? [];
  const named = other !== undefined && theirs === id ? other : await firstNamed(log);
  if (named === null || named === own) return known;
  throw new XcError('XC-5290', {
    subject: known.path,
    why: `it is the log of "${named}", and the configuration says controlPlane: ${own}`,
  });
};

/** The control plane that the first entry names: a log may have entries before its first checkpoint. */
const firstNamed = async (log: ReadLog): Promise<string | null> => {
  for await (const { bytes } of log.entries()) return parseEntry(bytes)?.controlPlane ?? null;
  return null;
};

/** For reading alone; null before the first entry. @throws XcError XC-5290 */
export const findLog = async (host: Host): Promise<KnownLog | null> => {
  const { config } = await host.config();
  const key = await readLogKey(pathOf(host));
  return key && (await ofThisControlPlane(knownLog(pathOf(host), config.controlPlane, key)));
};

/** For appending; made where it is not there. @throws XcError XC-5290 */
export const openLog = async (host: Host): Promise<KnownLog & { readonly log: AuditLog }> => {
  const { config } = await host.config();
  const key = await openLogKey(pathOf(host));
  const known = await ofThisControlPlane(knownLog(pathOf(host), config.controlPlane, key));
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
