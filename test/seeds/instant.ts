/**
 * The instant of a kill: after so much progress, and then a moment more. Progress is looked up where it is recorded, so
 * that a seed means about the same place in the work on a slow machine and on a fast one.
 */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeededRandom } from '../../fixtures/shop/random.ts';
import type { Pair } from '../harness/pair.ts';
import { told, type Runner } from './runner.ts';
import { statesOf } from './sessions.ts';

export interface Instant {
  /** What is counted. */
  readonly of: Progress;
  /** How much of it must have been added since the wait began. */
  readonly more: number;
  readonly jitterMs: number;
}

/**
 * chunks: of the copy that are done; journal: its lines, over all runs; checkpoints: times that the target's positions
 * moved; acknowledged: times that the slot's did; time: none, only the moment after
 */
export type Progress = 'chunks' | 'journal' | 'checkpoints' | 'acknowledged' | 'time';

const POLL_MS = 5;
const MAX_JITTER_MS = 300;
/** A copy that is over has no more chunks, and the instant is then as good as any. */
const OVER_MS = 3_000;
/** A run that does not get any further in this time hangs; pauses between its retries are shorter. */
const STANDSTILL_MS = 60_000;

export const duringCopy = (random: SeededRandom): Instant =>
  random.chance(0.15)
    ? { of: 'time', more: 0, jitterMs: random.between(0, 2000) }
    : random.chance(0.3)
      ? { of: 'journal', more: random.between(1, 40), jitterMs: random.between(0, MAX_JITTER_MS) }
      : { of: 'chunks', more: random.between(0, 40), jitterMs: random.between(0, MAX_JITTER_MS) };

export const duringStream = (random: SeededRandom): Instant =>
  random.chance(0.15)
    ? { of: 'time', more: 0, jitterMs: random.between(0, 2500) }
    : random.chance(0.3)
      ? { of: 'acknowledged', more: random.between(1, 8), jitterMs: random.between(0, MAX_JITTER_MS) }
      : { of: 'checkpoints', more: random.between(1, 60), jitterMs: random.between(0, MAX_JITTER_MS) };

export const instantText = ({ of, more, jitterMs }: Instant): string =>
  `${of === 'time' ? '' : `${more} ${of} + `}${jitterMs} ms`;

/**
 * @returns false when the runner ended before the instant came
 * @throws Error when the runner does not get any further
 */
export const reached = async (pair: Pair, runner: Runner, instant: Instant): Promise<boolean> => {
  const measure = meterOf(pair, instant.of);
  let last = await measure();
  let moved = 0;
  let movedMs = performance.now();
  while (moved < instant.more) {
    if (runner.isOver()) return false;
    const stillMs = performance.now() - movedMs;
    if ((instant.of === 'chunks' || instant.of === 'journal') && stillMs > OVER_MS) break;
    if (stillMs > STANDSTILL_MS)
      throw new Error(`no more ${instant.of} came: ${await statesOf(pair)}\n${told(await runner.kill())}`);
    await sleep(POLL_MS);
    const now = await measure();
    if (now !== last) movedMs = performance.now();
    // Positions count as one however far they move; the rest counts each.
    if (now !== last) moved += typeof now === 'number' && typeof last === 'number' ? now - last : 1;
    last = now;
  }
  await sleep(instant.jitterMs);
  return !runner.isOver();
};

const meterOf = (pair: Pair, of: Progress): (() => Promise<number | string>) => {
  switch (of) {
    case 'time':
      return () => Promise.resolve(0);
    case 'journal':
      return () => journalLines(pair.directory);
    case 'chunks':
      return () => text(pair.target, 'SELECT count(done_at)::int AS text FROM xcrepl.copy_chunks');
    case 'checkpoints':
      return () =>
        text(
          pair.target,
          `SELECT coalesce(string_agg(slot || position::text, ',' ORDER BY slot), '') AS text FROM xcrepl.checkpoints`,
        );
    case 'acknowledged':
      return () =>
        text(
          pair.source,
          `SELECT coalesce(string_agg(slot_name || confirmed_flush_lsn::text, ',' ORDER BY slot_name), '') AS text
             FROM pg_replication_slots WHERE database = current_database()`,
        );
  }
};

/** A server that is down has nothing to tell. */
const text = async (db: Pair['source'], sql: string): Promise<number | string> => {
  const rows = await db.query<{ text: number | string }>(sql).catch(() => []);
  return rows[0]?.text ?? '';
};

const journalLines = async (directory: string): Promise<number> => {
  const runs = await readdir(join(directory, '.xcrepl/runs')).catch(() => []);
  const journals = await Promise.all(
    runs.map((run) =>
      readFile(join(directory, '.xcrepl/runs', run, 'journal.ndjson'), 'utf8').catch(() => ''),
    ),
  );
  return journals.reduce((lines, journal) => lines + journal.split('\n').length - 1, 0);
};
