/** Looks at a private key file without keeping any of it. */

import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import type { ObservedKeyFile } from '../../core/validation/observed-service.ts';

/** "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----" of cosign, or any other PEM private key. */
const PEM_PRIVATE_KEY = /^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----/;
const HEAD_BYTES = 128;

export const observeKeyFile = async (path: string): Promise<ObservedKeyFile> => {
  const found = await stat(path).catch(() => null);
  if (!found) return { path, file: null };
  const readable = await access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
  const isFile = found.isFile();
  const looksLikeKey = isFile && readable && PEM_PRIVATE_KEY.test(await head(path));
  return { path, file: { isFile, readable, mode: found.mode & 0o777, looksLikeKey } };
};

const head = async (path: string): Promise<string> => {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
  return buffer.toString('latin1', 0, bytesRead);
};
