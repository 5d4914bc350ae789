/** A server that a test starts and that never outlives it: a shell waits at the other end of a pipe, and kills it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

export interface GuardedProcess extends AsyncDisposable {
  readonly exited: Promise<void>;
}

const GUARD = [
  'exec 3<&0; "$@" </dev/null & server=$!;',
  '(cat <&3 >/dev/null; kill -9 $server) & guard=$!;',
  'wait $server; kill $guard',
].join(' ');

/** Output goes to the log file. */
export const startGuarded = (
  command: string,
  args: readonly string[],
  logFile: string,
  env: Readonly<Record<string, string>> = {},
): GuardedProcess => {
  const log = openSync(logFile, 'a');
  const child: ChildProcess = spawn('sh', ['-c', GUARD, 'sh', command, ...args], {
    stdio: ['pipe', log, log],
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit').then(() => undefined);
  return {
    exited,
    async [Symbol.asyncDispose]() {
      child.stdin?.end();
      await exited;
    },
  };
};

export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const answers = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
};

/** Waits without end: the test's own limit ends what hangs. */
export const untilAnswering = async (port: number, server: GuardedProcess): Promise<void> => {
  let ended = false;
  void server.exited.then(() => (ended = true));
  while (!(await answers(port))) {
    if (ended) throw new Error(`the server for port ${port} ended before it answered`);
    await sleep(50);
  }
};
