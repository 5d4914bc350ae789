/**
 * The place for what an unprivileged user must reach by a short path: program files, sockets, and data directories
 * when the lab's own directory stands under a home that this user cannot enter.
 */

import { access, chmod, constants, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';

/**
 * Creates the directory on first use. It has a name that others can guess in a place where all may write, so it is
 * only used when it belongs to us and nobody else can write to it.
 * @throws XcError XC-6206 when someone else owns it
 */
export const runtimeDirectory = async (): Promise<string> => {
  const uid = process.getuid?.() ?? 0;
  const path = join(await temporaryRoot(), `xcrepl-${uid}`);
  await mkdir(path, { recursive: true, mode: 0o755 });
  const seen = await lstat(path);
  if (!seen.isDirectory() || seen.uid !== uid || (seen.mode & 0o022) !== 0)
    throw new XcError('XC-6206', {
      subject: path,
      why: `mode ${(seen.mode & 0o7777).toString(8)}, owner ${seen.uid}; expected a directory of owner ${uid} that no one else can write to`,
    });
  // The creator's umask may have taken away what the server's user needs.
  if ((seen.mode & 0o777) !== 0o755) await chmod(path, 0o755);
  return path;
};

/** /var/tmp survives a reboot, is on disk, and is short enough for a socket's path, which TMPDIR may not be. */
const temporaryRoot = async (): Promise<string> => {
  try {
    await access('/var/tmp', constants.W_OK | constants.X_OK);
    return '/var/tmp';
  } catch {
    return tmpdir();
  }
};
