/** The product's engine in a process of its own, so that its memory and its CPU are the runner's alone. */

import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { ConfigInput } from '../../src/core/config/schema.ts';
import type { TestDatabase } from '../../test/harness/test-database.ts';
import { forgetPeak, peakMemory } from './process-cost.ts';
import { until, type Receiver } from './receiver.ts';
import type { Command, CommandName, Commands } from './runner-child.ts';

export interface Runner extends Receiver, AsyncDisposable {
  readonly pid: number;
  call<N extends CommandName>(
    name: N,
    ...given: Parameters<Commands[N]>
  ): Promise<Awaited<ReturnType<Commands[N]>>>;
  /** Another engine in the same process. */
  reopen(config: ConfigInput): Promise<void>;
  /** Highest resident memory since the last call, in bytes. */
  takePeak(): Promise<number>;
}

export const startRunner = async (
  source: TestDatabase,
  target: TestDatabase,
  config: ConfigInput,
): Promise<Runner> => {
  const child = fork(join(import.meta.dirname, 'runner-child.ts'), {
    serialization: 'advanced',
    execArgv: process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? [],
  });
  const call = caller(child);
  const open = (now: ConfigInput): Promise<void> =>
    call('open', { config: now, source: place(source), target: place(target) });
  await open(config);
  const senders = (): Promise<number[]> => pids(source, `backend_type = 'walsender'`);
  return {
    source,
    target,
    pid: child.pid!,
    call,
    reopen: open,
    processes: async () => ({
      walsender: await senders(),
      runner: [child.pid!],
      backend: await pids(target, 'true'),
    }),
    async start() {
      await call('start');
      await until('the stream', async () => (await senders()).length > 0);
    },
    stop: () => call('stop'),
    drop: () => call('drop'),
    async takePeak() {
      const peak = await peakMemory(child.pid!);
      await forgetPeak(child.pid!);
      return peak;
    },
    async [Symbol.asyncDispose]() {
      child.removeAllListeners('exit');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
    },
  };
};

const place = ({ dsn, database }: TestDatabase): { dsn: string; database: string } => ({ dsn, database });

const pids = async (database: TestDatabase, where: string): Promise<number[]> => {
  const rows = await database.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'xcrepl bench:%' AND ${where}`,
  );
  return rows.map(({ pid }) => pid);
};

const caller = (child: ChildProcess): Runner['call'] => {
  let last = 0;
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  child.on('message', (message) => {
    const { id, value, error } = message as { id: number; value: unknown; error?: string };
    const one = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) one?.resolve(value);
    else one?.reject(new Error(`in the runner: ${error}`));
  });
  child.on('exit', (code) => {
    for (const one of waiting.values()) one.reject(new Error(`the runner ended with ${code}`));
  });
  return async (name, ...given) => {
    const one = Promise.withResolvers<unknown>();
    const id = ++last;
    waiting.set(id, one);
    child.send({ id, name, argument: given[0] } satisfies Command);
    return (await one.promise) as never;
  };
};
