/** One process of `xcrepl replication run`, as cron or an operator starts it, and what became of it. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Finding } from '../../src/core/validation/finding.ts';
import type { Pair } from '../harness/pair.ts';

export interface RunnerEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Runner {
  readonly ended: Promise<RunnerEnd>;
  /** SIGKILL, and what was left of its output. */
  kill(): Promise<RunnerEnd>;
  /** SIGTERM. @throws Error when it does not end in good time */
  stop(): Promise<RunnerEnd>;
  /** Stands still, and goes on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  isOver(): boolean;
}

/** Each chunk, and so each place where a copy can be cut short, is this small. */
const CHUNK = '256KiB';
/** A killed runner's session lasts until its server notices; the next run waits for that instead of giving up. */
const LOCK_TIMEOUT = '60s';
/** What has not ended by then hangs. */
const RUN_LIMIT_MS = 240_000;
/** A batch that is under way is finished, whatever the machine does beside it. */
const STOP_LIMIT_MS = 45_000;

/** @param hear is given what it says on stderr, as it comes */
export const startRunner = (
  pair: Pair,
  mode: '--once' | '--follow',
  hear?: (text: string) => void,
  more: readonly string[] = [],
): Runner => {
  const args = [
    'replication',
    'run',
    mode,
    '--chunk-bytes',
    CHUNK,
    '--lock-timeout',
    LOCK_TIMEOUT,
    '-v',
    '-o',
    'json',
    ...more,
  ];
  const child = pair.spawnXcrepl(args, { timeoutMs: RUN_LIMIT_MS });
  if (hear) child.stderr.on('data', (bytes: Buffer) => hear(bytes.toString()));
  let over = false;
  const ended = (async (): Promise<RunnerEnd> => {
    const { exitCode, signal, stdout, stderr } = await child;
    over = true;
    return { exitCode: exitCode ?? null, signal: signal ?? null, stdout, stderr };
  })();
  const kill = async (): Promise<RunnerEnd> => {
    child.kill('SIGKILL');
    return await ended;
  };
  return {
    ended,
    kill,
    async stop() {
      child.kill('SIGTERM');
      const late = new AbortController();
      const limit = sleep(STOP_LIMIT_MS, 'late' as const, { signal: late.signal }).catch(
        () => 'late' as const,
      );
      const end = await Promise.race([ended, limit]);
      late.abort();
      if (end === 'late') throw new Error(`it does not end after SIGTERM: ${told(await kill())}`);
      return end;
    },
    signal: (name) => void child.kill(name),
    isOver: () => over,
  };
};

/** Lines of both outputs that are shown of a run that ended otherwise than it should. */
const SHOWN_LINES = 40;
const SHOWN_CHARACTERS = 4_000;

const last = (text: string): string => text.trimEnd().split('\n').slice(-SHOWN_LINES).join('\n');

export const told = ({ exitCode, signal, stdout, stderr }: RunnerEnd): string =>
  `exit ${exitCode ?? signal}\n${reported(stdout)}\n--- stderr\n${last(stderr)}`;

/** What a report says went wrong; any other output as it is. */
const reported = (stdout: string): string => {
  try {
    const { errors, findings } = JSON.parse(stdout) as { errors?: unknown[]; findings?: Finding[] };
    const shown = { errors, findings: findings?.filter(({ verdict }) => verdict !== 'pass') };
    return JSON.stringify(shown, null, 1).slice(0, SHOWN_CHARACTERS);
  } catch {
    return last(stdout);
  }
};

/** A run that has to end by itself with this exit code. */
export const finish = async (runner: Runner, exitCode: number, what: string): Promise<void> => {
  const end = await runner.ended;
  if (end.exitCode !== exitCode) throw new Error(`${what}: ${told(end)}`);
};

/** What whoever reads a run's end makes of it: it is done, it may go on now, or it is wrong. */
export type Judgement = 'done' | 'mended' | 'wrong';

/**
 * Runs to the end what may have to be tried again: exit 5 says that retrying may help, and a few times it may.
 * @param judge of a run that ended otherwise
 * @returns how often it was tried again
 */
export const finishInTime = async (
  start: () => Runner,
  what: string,
  judge: (end: RunnerEnd) => Promise<Judgement> | Judgement = () => 'wrong',
): Promise<number> => {
  let [retries, mends] = [0, 0];
  for (;;) {
    const end = await start().ended;
    const judgement = end.exitCode === 0 ? 'done' : await judge(end);
    if (judgement === 'done') return retries + mends;
    if (judgement === 'mended' && mends++ < MAX_MENDS) continue;
    if (end.exitCode !== 5 || retries++ === MAX_RETRIES) throw new Error(`${what}: ${told(end)}`);
    await sleep(RETRY_MS);
  }
};

const MAX_RETRIES = 3;
const MAX_MENDS = 20;
const RETRY_MS = 1_000;
