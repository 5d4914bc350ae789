/**
 * Who runs a server. PostgreSQL refuses to run as root, so root hands it to an unprivileged user; anyone else runs it
 * as oneself.
 */

import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { execa } from 'execa';
import { XcError } from '../../core/errors/xc-error.ts';

export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const CANDIDATES = ['postgres', 'nobody'] as const;

/**
 * The user to switch to, or null when the server runs as the current user.
 * @throws XcError XC-6205 when root finds no unprivileged user
 */
export const findServerUser = async (): Promise<ServerUser | null> => {
  if (process.getuid?.() !== 0) return null;
  for (const name of CANDIDATES) {
    const [uid, gid] = [await id('-u', name), await id('-g', name)];
    if (uid !== null && gid !== null && uid !== 0) return { name, uid, gid };
  }
  throw new XcError('XC-6205', {
    subject: CANDIDATES.join(', '),
    why: 'root may not run PostgreSQL, and none of these users exists',
  });
};

const id = async (flag: '-u' | '-g', name: string): Promise<number | null> => {
  const { stdout, exitCode } = await execa('id', [flag, name], { reject: false });
  return exitCode === 0 ? Number(stdout.trim()) : null;
};

/** Whether the user can walk to the directory: search permission on it and on every directory above it. */
export const canReach = async (user: ServerUser | null, directory: string): Promise<boolean> => {
  if (user === null) return true;
  for (let at = resolve(directory); ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at);
    const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (at === dirname(at)) return true;
  }
};
