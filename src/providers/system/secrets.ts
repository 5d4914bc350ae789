/**
 * Secrets by reference: env:NAME, file:PATH, cmd:COMMAND, vault:PATH#KEY. Errors name the reference, never a value, and
 * never the output of a command, which may hold one.
 */

import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';
import { isErrno } from '../../core/errors/errno.ts';
import { readTextNow } from './files.ts';

export interface VaultAccess {
  /** Base address, "https://vault.example:8200". */
  readonly address: string;
  readonly token: string;
  readonly namespace?: string;
}

export interface SecretContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What a relative file: path starts from: the configuration file's directory, or the working directory. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Asked only for a vault: reference. */
  readonly vault: () => Promise<VaultAccess>;
}

/** A command that asks for a password on a terminal would wait for ever; it gets no input and this long. */
const COMMAND_LIMIT_MS = 30_000;

/** @throws XcError XC-1005 when the reference points to nothing; XC-4001, XC-4002, XC-6001 from Vault */
export const resolveSecret = async (reference: string, context: SecretContext): Promise<string> => {
  const kind = reference.slice(0, reference.indexOf(':'));
  const place = reference.slice(kind.length + 1);
  const value = await read(kind, place, reference, context);
  if (value === '') throw missing(reference, 'it is empty');
  return value;
};

const read = async (
  kind: string,
  place: string,
  reference: string,
  context: SecretContext,
): Promise<string> => {
  switch (kind) {
    case 'env': {
      const value = context.env[place];
      if (value === undefined) throw missing(reference, `the environment variable ${place} is not set`);
      return value;
    }
    case 'file':
      return fromFile(place, reference, context);
    case 'cmd':
      return fromCommand(place, reference, context);
    case 'vault': {
      const { readVault } = await import('./vault.ts');
      return readVault(reference, await context.vault(), context.signal);
    }
    default:
      throw new XcError('XC-1004', {
        subject: 'secret reference',
        why: 'it is none of env:NAME, file:PATH, cmd:COMMAND and vault:PATH#KEY',
      });
  }
};

const missing = (reference: string, why: string, cause?: unknown): XcError =>
  new XcError('XC-1005', { subject: reference, why, cause });

const fromFile = (place: string, reference: string, { directory }: SecretContext): string => {
  const path = place.startsWith('~/') ? resolve(homedir(), place.slice(2)) : resolve(directory, place);
  try {
    const text = readTextNow(path);
    if (text === null) throw missing(reference, 'there is no such file');
    return text.replace(/\r?\n$/, '');
  } catch (error) {
    if (isErrno(error)) throw missing(reference, `the file cannot be read (${error.code})`, error);
    throw error;
  }
};

const fromCommand = async (
  command: string,
  reference: string,
  { env, directory, signal }: SecretContext,
): Promise<string> => {
  const { execa } = await import('execa');
  signal.throwIfAborted();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(COMMAND_LIMIT_MS)]);
  const running = execa(command, {
    shell: true,
    cwd: directory,
    env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    // A group of its own, so that what the shell started ends with the shell.
    detached: true,
    cleanup: false,
  });
  const stop = (): void => {
    if (running.pid !== undefined) process.kill(-running.pid, 'SIGKILL');
  };
  limit.addEventListener('abort', stop);
  try {
    const { exitCode, signal: killedBy, stdout } = await running;
    signal.throwIfAborted();
    if (exitCode === 0) return stdout;
    const why = limit.aborted
      ? `the command gave nothing within ${COMMAND_LIMIT_MS / 1000} s`
      : `the command ended with ${exitCode ?? killedBy ?? 'an error'}`;
    throw missing(reference, why);
  } finally {
    limit.removeEventListener('abort', stop);
  }
};
