/**
 * Tells one process from another that later gets the same pid, so that nothing is ever signalled by mistake.
 */

import { execa } from 'execa';
import { readIfThere } from './text-file.ts';

/**
 * A text that no other process has had or will have, made of the pid and its start time, or null when the process is
 * gone. A zombie is gone: it runs nothing, and a container without an init process keeps it for ever.
 */
export const processIdentity = async (pid: number): Promise<string | null> =>
  process.platform === 'linux' ? fromProc(pid) : fromPs(pid);

/** Arguments of a process as one text, or null when it is gone or not ours to see. */
export const processArguments = async (pid: number): Promise<string | null> => {
  if (process.platform !== 'linux') return ps(pid, 'args=');
  const text = await readIfThere(`/proc/${pid}/cmdline`);
  return text === null || text === '' ? null : text.replaceAll('\0', ' ').trim();
};

/** proc(5): after the command in parentheses come the state (field 3) and, as field 22, the start time in ticks. */
const fromProc = async (pid: number): Promise<string | null> => {
  const stat = await readIfThere(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return null;
  const boot = (await readIfThere('/proc/sys/kernel/random/boot_id'))?.trim() ?? '';
  return `${pid}@${startTicks}/${boot}`;
};

const fromPs = async (pid: number): Promise<string | null> => {
  const [state, started] = [await ps(pid, 'state='), await ps(pid, 'lstart=')];
  return state === null || started === null || state.startsWith('Z') ? null : `${pid}@${started}`;
};

const ps = async (pid: number, column: string): Promise<string | null> => {
  const { stdout, exitCode } = await execa('ps', ['-ww', '-o', column, '-p', String(pid)], { reject: false });
  return exitCode === 0 && stdout.trim() !== '' ? stdout.trim() : null;
};
