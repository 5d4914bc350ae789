/**
 * The log's own key, made when the log is: it says that entries came in this order, and nothing about who may do what. It
 * lies beside the log, readable by its owner alone; what keeps its holder honest are the anchors elsewhere.
 */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';

const PRIVATE = 'log-key.pem';
const PUBLIC = 'log-key.pub';

/** @returns null where the directory holds no log yet. @throws XcError XC-1401 */
export const readLogKey = async (directory: string): Promise<KeyObject | null> => {
  const path = join(directory, PRIVATE);
  try {
    return createPrivateKey(await readFile(path));
  } catch (error) {
    if (isErrno(error) && error.code === 'ENOENT') return null;
    if (isErrno(error)) throw error;
    throw new XcError('XC-1401', { subject: path, why: 'it is no private key in PEM', cause: error });
  }
};

/** The key, made on first use. Linked into place whole: of two processes that make one, both use the first. */
export const openLogKey = async (directory: string): Promise<KeyObject> => {
  const known = await readLogKey(directory);
  if (known) return known;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const made = await place(
    join(directory, PRIVATE),
    privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    0o600,
  );
  if (made)
    await place(join(directory, PUBLIC), publicKey.export({ format: 'pem', type: 'spki' }).toString(), 0o644);
  const key = await readLogKey(directory);
  if (!key) throw new XcError('XC-6002', { subject: join(directory, PRIVATE), why: 'it went away' });
  return key;
};

const place = async (path: string, text: string, mode: number): Promise<boolean> => {
  const draft = `${path}.${process.pid}`;
  try {
    await using file = await open(draft, 'w', mode);
    await file.writeFile(text);
    await file.sync();
    await link(draft, path);
    return true;
  } catch (error) {
    if (isErrno(error) && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
};
