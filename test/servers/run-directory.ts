/**
 * One directory for all servers of a test run, and the promise that none of them outlives it: a small process watches
 * the run's main process through a pipe, and takes everything down when that ends, however it ends.
 */

import { spawn } from 'node:child_process';
import { chmod, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const VARIABLE = 'XCREPL_TEST_RUN_DIRECTORY';

/** The run's directory; made by the global set-up, or by the first who asks where there was none. */
export const runDirectory = async (): Promise<string> => {
  const there = process.env[VARIABLE];
  if (there !== undefined) return there;
  const path = await mkdtemp(join(tmpdir(), 'xcrepl-test-'));
  // The servers' user has to walk through it.
  await chmod(path, 0o755);
  process.env[VARIABLE] = path;
  watch(path);
  return path;
};

const watch = (path: string): void => {
  const reaper = spawn(process.execPath, [join(import.meta.dirname, 'reaper.ts'), path], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  reaper.unref();
  // A pipe is a socket here, which the type of stdin does not say.
  (reaper.stdin as unknown as { unref(): void }).unref();
};
