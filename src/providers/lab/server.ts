/**
 * One PostgreSQL server of a lab: made, started, found again and stopped. A server outlives the process that started
 * it; what is known of it later is in its data directory.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { appendFile, chmod, chown, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { execa, ExecaError } from 'execa';
import { XcError } from '../../core/errors/xc-error.ts';
import { processArguments, processIdentity } from './process-identity.ts';
import type { ServerUser } from './server-user.ts';
import { readIfThere } from './text-file.ts';

export const SUPERUSER = 'postgres';

/** Environment of server programs: nothing of ours, so that no secret is inherited, and messages in one language. */
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };

const POLL_MS = 20;
const START_LIMIT_MS = 60_000;
/** After each of these a harder signal follows. */
const FAST_STOP_LIMIT_MS = 20_000;
const IMMEDIATE_STOP_LIMIT_MS = 5_000;

/** What has to be known to start a server again. */
export interface Server {
  readonly name: string;
  readonly bin: string;
  /** On 127.0.0.1, and part of the socket's name. */
  readonly port: number;
  readonly dataDirectory: string;
  readonly logFile: string;
  readonly user: ServerUser | null;
}

/**
 * Creates the data directory: scram passwords for every connection, UTF-8, bytewise collation (the one that is the
 * same on every system).
 * @throws XcError XC-6202
 */
export const createServer = async (
  server: Server,
  password: string,
  settings: string,
  { durable }: { readonly durable: boolean },
): Promise<void> => {
  await mkdir(server.dataDirectory, { recursive: true, mode: 0o700 });
  await chmod(server.dataDirectory, 0o700);
  const passwordFile = `${server.dataDirectory}.password`;
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  try {
    if (server.user) {
      await chown(server.dataDirectory, server.user.uid, server.user.gid);
      await chown(passwordFile, server.user.uid, server.user.gid);
    }
    await initdb(server, passwordFile, durable);
    await appendFile(join(server.dataDirectory, 'postgresql.conf'), `\n# Set by xcrepl lab\n${settings}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
};

const initdb = async (server: Server, passwordFile: string, durable: boolean): Promise<void> => {
  const args = ['-D', server.dataDirectory, '-U', SUPERUSER, `--pwfile=${passwordFile}`];
  args.push('--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions');
  if (!durable) args.push('--no-sync');
  try {
    await execa(join(server.bin, 'initdb'), args, {
      ...asUser(server.user),
      cwd: '/',
      env: ENVIRONMENT,
      extendEnv: false,
    });
  } catch (error) {
    const why =
      error instanceof ExecaError ? lastLines(String(error.stderr)) || error.shortMessage : String(error);
    throw new XcError('XC-6202', { subject: server.name, why, cause: error });
  }
};

/** Started, or why not: a port that was taken in the meantime is worth another try with another port. */
export type Started = { readonly pid: number } | { readonly portTaken: true };

/**
 * Starts the server and waits until it accepts connections.
 * @throws XcError XC-6203 with the end of the log
 */
export const startServer = async (server: Server, signal: AbortSignal): Promise<Started> => {
  const log = await open(server.logFile, 'a', 0o600);
  const logStart = (await log.stat()).size;
  let child: ChildProcess;
  try {
    child = spawn(join(server.bin, 'postgres'), ['-p', String(server.port), '-D', server.dataDirectory], {
      ...asUser(server.user),
      cwd: '/',
      env: ENVIRONMENT,
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
  } finally {
    await log.close();
  }
  const failure = new Promise<Error>((resolve) => {
    child.once('error', resolve);
    child.once('exit', (code, by) => resolve(new Error(`postgres ended with ${code ?? by}`)));
  });
  child.unref();
  const seen = await Promise.race([untilReady(server, child, signal), failure]);
  if (!(seen instanceof Error)) return { pid: seen };
  child.kill('SIGQUIT');
  signal.throwIfAborted();
  const said = (await readIfThere(server.logFile, logStart)) ?? '';
  if (/could not (bind|create any TCP)/.test(said)) return { portTaken: true };
  throw new XcError('XC-6203', {
    subject: server.name,
    why: lastLines(said) || seen.message,
    next: `read ${server.logFile}`,
  });
};

/** postmaster.pid says in its eighth line when connections are accepted (src/include/utils/pidfile.h). */
const untilReady = async (
  server: Server,
  child: ChildProcess,
  signal: AbortSignal,
): Promise<number | Error> => {
  const deadline = performance.now() + START_LIMIT_MS;
  const lives = (): boolean =>
    child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  while (performance.now() < deadline && lives() && !signal.aborted) {
    const lines = await pidFile(server.dataDirectory);
    if (lines && Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return child.pid;
    await sleep(POLL_MS);
  }
  return new Error(`not ready after ${START_LIMIT_MS / 1000} s`);
};

/**
 * The pid of the living server of this data directory, or null. A pid alone proves nothing: it must belong to a
 * process that was started on this very directory.
 */
export const livingServer = async (dataDirectory: string): Promise<number | null> => {
  const pid = Number((await pidFile(dataDirectory))?.[0]);
  if (!Number.isInteger(pid) || pid <= 1) return null;
  if ((await processIdentity(pid)) === null) return null;
  const args = await processArguments(pid);
  return args?.endsWith(` -D ${dataDirectory}`) ? pid : null;
};

/**
 * Fast shutdown; immediate, then SIGKILL, if the server does not end in time. Returns whether there was one to stop.
 * @throws XcError XC-6204 when even SIGKILL does not end it
 */
export const stopServer = async (server: Pick<Server, 'name' | 'dataDirectory'>): Promise<boolean> => {
  const pid = await livingServer(server.dataDirectory);
  const identity = pid === null ? null : await processIdentity(pid);
  if (pid === null || identity === null) return false;
  const attempts: readonly [NodeJS.Signals, number][] = [
    ['SIGINT', FAST_STOP_LIMIT_MS],
    ['SIGQUIT', IMMEDIATE_STOP_LIMIT_MS],
    ['SIGKILL', IMMEDIATE_STOP_LIMIT_MS],
  ];
  for (const [signal, limitMs] of attempts) {
    if ((await processIdentity(pid)) !== identity) return true;
    sendSignal(pid, signal);
    if (await untilGone(pid, identity, limitMs)) return true;
  }
  throw new XcError('XC-6204', { subject: server.name, why: `process ${pid} does not end` });
};

/** kill -9 of the postmaster alone, as a crash would be; its children notice and end by themselves. */
export const killServer = async (server: Pick<Server, 'dataDirectory'>): Promise<void> => {
  const pid = await livingServer(server.dataDirectory);
  const identity = pid === null ? null : await processIdentity(pid);
  if (pid === null || identity === null) return;
  sendSignal(pid, 'SIGKILL');
  await untilGone(pid, identity, IMMEDIATE_STOP_LIMIT_MS);
};

const sendSignal = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

const untilGone = async (pid: number, identity: string, limitMs: number): Promise<boolean> => {
  const deadline = performance.now() + limitMs;
  while ((await processIdentity(pid)) === identity) {
    if (performance.now() > deadline) return false;
    await sleep(POLL_MS);
  }
  return true;
};

const pidFile = async (dataDirectory: string): Promise<string[] | null> =>
  (await readIfThere(join(dataDirectory, 'postmaster.pid')))?.split('\n') ?? null;

const asUser = (user: ServerUser | null): { uid?: number; gid?: number } =>
  user ? { uid: user.uid, gid: user.gid } : {};

const lastLines = (text: string): string => text.trim().split('\n').slice(-4).join(' / ').slice(-600);
