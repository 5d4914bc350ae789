/**
 * What is known of a file beside its bytes: sha256 and metadata, each with the version of the file that they are of, so
 * that a file which somebody changed by other means is never taken for what it was.
 */

import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../../core/errors/errno.ts';
import { asHexDigest, type HexDigest } from '../../core/objects/hex-digest.ts';
import type { ObjectInfo } from '../../core/objects/object-store.ts';
import { OWN_DIRECTORY } from './key-path.ts';

interface FileRecord {
  readonly schemaVersion: 1;
  readonly key: string;
  readonly version: string;
  readonly sha256: HexDigest;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Length, time of change and inode: what every writer changes, whether it knows of us or not. */
export const versionOf = (stat: BigIntStats): string =>
  `${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}-${stat.ino.toString(36)}`;

const recordPath = (root: string, key: string): string => {
  const name = createHash('sha256').update(key).digest('hex');
  return join(root, OWN_DIRECTORY, 'objects', name.slice(0, 2), `${name}.json`);
};

const read = async (root: string, key: string): Promise<FileRecord | null> => {
  try {
    return JSON.parse(await readFile(recordPath(root, key), 'utf8')) as FileRecord;
  } catch (error) {
    // A record is a convenience: one that is torn or missing only means that nothing is known.
    if (isErrno(error, 'ENOENT') || error instanceof SyntaxError) return null;
    throw error;
  }
};

export const infoOf = async (root: string, key: string, stat: BigIntStats): Promise<ObjectInfo> => {
  const version = versionOf(stat);
  const record = await read(root, key);
  const known = record !== null && record.key === key && record.version === version;
  return {
    key,
    bytes: Number(stat.size),
    version,
    modifiedAtMs: Number(stat.mtimeMs),
    sha256: known ? asHexDigest(record.sha256) : null,
    metadata: known ? record.metadata : {},
  };
};

/** Before the file takes its place: a crash between the two loses what is known of the old one, and claims nothing. */
export const keepRecord = async (root: string, info: ObjectInfo, temporary: string): Promise<void> => {
  if (info.sha256 === null) return;
  const record: FileRecord = {
    schemaVersion: 1,
    key: info.key,
    version: info.version,
    sha256: info.sha256,
    metadata: info.metadata,
  };
  const path = recordPath(root, info.key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(temporary, JSON.stringify(record), { mode: 0o600 });
  await rename(temporary, path);
};

export const dropRecord = async (root: string, key: string): Promise<void> => {
  await rm(recordPath(root, key), { force: true });
};
