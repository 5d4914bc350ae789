/**
 * A lock on a directory, held by a living process: the file names its holder, and a holder that is gone holds nothing.
 */

import { hostname } from 'node:os';
import { link, rename, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { isErrno } from '../../core/errors/errno.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { processIdentity } from './process-identity.ts';
import { readIfThere } from './text-file.ts';

export interface Holder {
  readonly pid: number;
  readonly identity: string | null;
  readonly host: string;
  readonly since: string;
}

/** Whoever takes over from a dead holder is waited for; that takes a moment. */
const ROUND_MS = 20;
const MAX_ROUNDS = 100;

/**
 * Does the work under the lock, or throws at once when it is held; nothing is waited for.
 * @throws XcError XC-7002 naming the holder
 */
export const underLock = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  const mine = await takeLock(path);
  try {
    return await work();
  } finally {
    if ((await readIfThere(path)) === mine) await rm(path, { force: true });
  }
};

/** Takes the lock for as long as this process lives; returns the file's text. @throws XcError XC-7002 */
export const takeLock = async (path: string): Promise<string> => {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const mine = await create(path);
    if (mine !== null) return mine;
    const text = await readIfThere(path);
    if (text === null) continue;
    const holder = await living(text);
    if (holder)
      throw new XcError('XC-7002', {
        subject: path,
        why: `held by ${holder.host}, pid ${holder.pid}, since ${holder.since}`,
        facts: { ...holder },
      });
    const taken = await takeOver(path, text);
    if (taken !== null) return taken;
  }
  throw new XcError('XC-7002', { subject: path, why: 'other processes keep taking it' });
};

/**
 * The lock file's text, or null when another file stands there. Linked into place, so that nobody ever reads a lock
 * whose holder is not yet written in it.
 */
const create = async (path: string): Promise<string | null> => {
  const { draft, text } = await drafted(path);
  try {
    await link(draft, path);
    return text;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return null;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
};

const drafted = async (path: string): Promise<{ readonly draft: string; readonly text: string }> => {
  const text = JSON.stringify({
    pid: process.pid,
    identity: await processIdentity(process.pid),
    host: hostname(),
    since: new Date().toISOString(),
  });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, text, { flag: 'wx', mode: 0o600 });
  return { draft, text };
};

/** Who holds the lock now, or null. */
export const lockHolder = async (path: string): Promise<Holder | null> => {
  const text = await readIfThere(path);
  return text === null ? null : living(text);
};

const living = async (text: string): Promise<Holder | null> => {
  const holder = parse(text);
  if (holder === null || holder.identity === null) return null;
  return (await processIdentity(holder.pid)) === holder.identity ? holder : null;
};

/**
 * A dead holder's file is replaced and never gone: who found it dead a while ago could otherwise take away what another
 * has put there since. One at a time, under a claim; null where another was first.
 */
const takeOver = async (path: string, dead: string): Promise<string | null> => {
  const claim = `${path}.claim`;
  if ((await create(claim)) === null) {
    const other = await readIfThere(claim);
    // It died in the middle of taking over.
    if (other !== null && (await living(other)) === null) await takeAway(claim, other);
    else await sleep(ROUND_MS);
    return null;
  }
  try {
    if ((await readIfThere(path)) !== dead) return null;
    const { draft, text } = await drafted(path);
    await rename(draft, path);
    return text;
  } finally {
    await rm(claim, { force: true });
  }
};

/** Renamed first: of two that find a dead claim, one moves it, and the other sees what it moved. */
const takeAway = async (path: string, dead: string): Promise<void> => {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  if ((await readIfThere(aside)) === dead) await rm(aside, { force: true });
  else await rename(aside, path);
};

const parse = (text: string): Holder | null => {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return null;
  }
};
