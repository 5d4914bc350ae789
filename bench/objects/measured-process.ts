/** A program from its start to its end: seconds on the clock and of CPU, and the most memory that it held. */

import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sample } from '../pairs.ts';
import { cpuSeconds, peakMemory } from '../postgres/process-cost.ts';

export interface MeasuredProcess extends Sample {
  readonly peakBytes: number;
}

/** How often /proc is read: what a process uses after the last look is not counted. Milliseconds. */
const LOOK_MS = 20;

/** @throws Error with its outputs where it does not end with 0 */
export const measureProcess = async (
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<MeasuredProcess> => {
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { PATH: process.env['PATH'], HOME: options.cwd, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  let cpu = 0;
  let peakBytes = 0;
  while (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    cpu = Math.max(cpu, await cpuSeconds(child.pid));
    peakBytes = Math.max(peakBytes, await peakMemory(child.pid));
    await sleep(LOOK_MS);
  }
  const exit = await ended;
  const value = (performance.now() - startedMs) / 1_000;
  if (exit !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${exit}:\n${said}`);
  return { value, cpu: { client: cpu }, peakBytes };
};
