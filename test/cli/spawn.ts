/** Spawns the built program as a script would, and shows all that it did. */

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const LAUNCHER = join(import.meta.dirname, '../../bin/xcrepl.js');

export interface Ended {
  readonly exit: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Spawned {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when this text has appeared on standard error; rejects when the program ends without it. */
  said(text: string): Promise<void>;
}

export interface SpawnOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly program?: readonly string[];
}

export const start = (args: readonly string[], options: SpawnOptions = {}): Spawned => {
  const [command = '', ...before] = options.program ?? [process.execPath, LAUNCHER];
  const child = spawn(command, [...before, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: {
      PATH: process.env['PATH'],
      HOME: options.cwd ?? tmpdir(),
      XDG_CACHE_HOME: join(tmpdir(), `xcrepl-test-cache-${process.getuid?.()}`),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exit, signal) => resolve({ exit, signal, stdout, stderr }));
  });
  const said = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (stderr.includes(text)) resolve();
      };
      listeners.add(check);
      check();
      void ended.then(() => reject(new Error(`ended without "${text}":\n${stderr}`)));
    });
  return { child, ended, said };
};

export const run = (args: readonly string[], options?: SpawnOptions): Promise<Ended> =>
  start(args, options).ended;

/** A command line of a shell, with `xcrepl` as the program. */
export const shell = (line: string, options: SpawnOptions = {}): Promise<Ended> =>
  start([`xcrepl() { "${process.execPath}" "${LAUNCHER}" "$@"; }; ${line}`], {
    ...options,
    program: ['bash', '-c'],
  }).ended;

export interface Folder {
  readonly path: string;
  write(name: string, text: string): Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const folder = async (): Promise<Folder> => {
  const path = await mkdtemp(join(tmpdir(), 'xcrepl-cli-'));
  return {
    path,
    async write(name, text) {
      const file = join(path, name);
      await writeFile(file, text);
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
};

/** A configuration whose one DSN is the given reference. */
export const configWith = (dsn: string, more = ''): string => `schemaVersion: 1
controlPlane: acme
regions:
  us-east-1: { zone: us, initialRole: primary, postgres: { dsn: ${JSON.stringify(dsn)} } }
${more}`;
