/** The operator's part in a change of the schema: runs on the target what the run says that it lacks, and only that. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Pair } from '../../harness/pair.ts';
import type { RunnerEnd } from '../runner.ts';
import { isLost, MAX_RECONNECTS, RECONNECT_MS } from './writers.ts';

/** The statements of an error: what it says to do next, each from the beginning of a line to the end of one. */
const statementsIn = (text: string): string[] => text.match(/^(?:ALTER|CREATE) [^]*?;(?=$| -- )/gm) ?? [];

/** What a run that follows says while it waits. */
export const waitedFor = (stderr: string): string[] =>
  [...stderr.matchAll(/^waiting: XC-52\d\d .*\n((?:(?:ALTER|CREATE) [^]*?;\n)+)/gm)].flatMap(([, lines]) =>
    statementsIn(lines!),
  );

interface Report {
  readonly errors?: readonly { readonly next?: string }[];
  readonly findings?: readonly { readonly code?: string; readonly remedy?: string }[];
}

/** A run that was refused before it began has none. */
const reportIn = (stdout: string): Report => (stdout.trim() === '' ? {} : (JSON.parse(stdout) as Report));

/** What a run says that ended: in its report, or where it was refused before it had one. */
export const reportedLacking = ({ stdout, stderr }: RunnerEnd): string[] => {
  if (stdout.trim() !== '')
    return (reportIn(stdout).errors ?? []).flatMap(({ next }) => statementsIn(next ?? ''));
  const refused = stderr.split('\n').find((line) => line.startsWith('{"schemaVersion"'));
  if (refused === undefined) return [];
  return statementsIn((JSON.parse(refused) as { error: { next?: string } }).error.next ?? '');
};

/** What tables that came later lack before they can join; null where there are none that may. */
export const joiningLacks = ({ stdout }: RunnerEnd): string[] | null => {
  const later = (reportIn(stdout).findings ?? []).filter(({ code }) => /^XC-525[0-2]$/.test(code ?? ''));
  return later.length === 0 ? null : later.flatMap(({ remedy }) => statementsIn(remedy ?? ''));
};

/** What links wait for that are held while the others go on. */
export const heldFor = async (pair: Pair): Promise<string[]> => {
  const rows = await pair.target
    .query<{ next: string }>(
      `SELECT detail -> 'error' ->> 'next' AS next FROM xcrepl.links WHERE state = 'errored' AND detail -> 'error' ->> 'next' IS NOT NULL`,
    )
    .catch(() => []);
  return rows.flatMap(({ next }) => statementsIn(next));
};

/** Duplicate and undefined columns, objects and tables: the same was said twice. */
const isDone = (error: unknown): boolean => /^(42701|42703|42704|42P07|42710)/.test(codeOf(error));
const codeOf = (error: unknown): string => (error as { code?: string }).code ?? '';

export const runOnTarget = async (pair: Pair, statement: string): Promise<void> => {
  for (let life = 0; ; life++)
    try {
      await using client = await pair.target.connect();
      await client.query(statement);
      return;
    } catch (error) {
      if (isDone(error)) return;
      if (life > MAX_RECONNECTS || !(isLost(error) || /^(40|55P03)/.test(codeOf(error)))) throw error;
      await sleep(RECONNECT_MS);
    }
};
