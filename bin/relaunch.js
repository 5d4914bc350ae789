/**
 * Runs the program again under the Node that was installed beside it (npm package `node`). Signals, standard streams
 * and the exit code are carried through; when this process is killed, the closed pipe tells the program to stop too.
 */

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'];

/** File descriptor of the pipe that closes when the launcher dies; src/main.ts watches it. */
const LIFELINE = 3;

const pinnedNode = () => {
  const candidates = [fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))];
  try {
    const found = createRequire(import.meta.url).resolve('node/package.json');
    candidates.push(join(dirname(found), 'bin', 'node'));
  } catch {
    // Not installed: the message below says what is needed.
  }
  return candidates.find((path) => existsSync(path));
};

/** @param {string} needed lowest version, "24.15" */
export const relaunch = (needed) => {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `XC-1009 Node.js ${needed} or later is needed; this is ${process.versions.node} (${process.execPath})\n` +
        `next: install Node.js ${needed} or later, or add it beside this package: npm install node@24\n`,
    );
    process.exitCode = 2;
    return;
  }
  const program = fileURLToPath(new URL('./xcrepl.js', import.meta.url));
  const child = spawn(node, [program, ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, XCREPL_LIFELINE_FD: String(LIFELINE) },
  });
  const lifeline = child.stdio[LIFELINE];
  if (lifeline) lifeline.on('error', () => undefined);
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`XC-1009 ${node} cannot be started: ${error.message}\n`);
    process.exitCode = 2;
  });
  child.on('exit', (code, signal) => {
    for (const name of SIGNALS) process.removeAllListeners(name);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
};
