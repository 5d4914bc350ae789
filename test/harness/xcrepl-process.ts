/** Runs the built program as an operator's shell would: through a pipe, with an environment that holds only what is given. */

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export interface RunOptions {
  readonly cwd?: string;
  /** Added to PATH, HOME (the working directory) and NO_COLOR; nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /** SIGKILL after this many milliseconds: a test that hangs fails with the output so far. Default 120000. */
  readonly timeoutMs?: number;
  /** stdin, which is never a terminal; empty where absent. */
  readonly input?: string;
}

export interface RunResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as one JSON document. @throws Error with both outputs when it is none */
  json(): unknown;
}

const LAUNCHER = join(import.meta.dirname, '../../bin/xcrepl.js');
const DEFAULT_TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

export const runXcrepl = async (args: readonly string[], options: RunOptions = {}): Promise<RunResult> => {
  const result = await spawnXcrepl(args, options);
  const { stdout, stderr } = result;
  return {
    exitCode: result.exitCode ?? null,
    signal: result.signal ?? null,
    stdout,
    stderr,
    json() {
      try {
        return JSON.parse(stdout);
      } catch (error) {
        throw new Error(`no JSON on stdout (exit ${result.exitCode}):\n${stdout}\n--- stderr\n${stderr}`, {
          cause: error,
        });
      }
    },
  };
};

/** The running process, for tests that signal it; it never rejects, and `await` gives exit code and outputs. */
export const spawnXcrepl = (args: readonly string[], options: RunOptions = {}) =>
  execa(process.execPath, [LAUNCHER, ...args], {
    cwd: options.cwd ?? process.cwd(),
    extendEnv: false,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: options.cwd ?? process.cwd(),
      NO_COLOR: '1',
      // One for all tests: compiled code and checked configurations are the same for each of them.
      XDG_CACHE_HOME: join(tmpdir(), `xcrepl-test-cache-${process.getuid?.()}`),
      ...options.env,
    },
    reject: false,
    timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT_BYTES,
    stripFinalNewline: false,
    input: options.input ?? '',
  });
