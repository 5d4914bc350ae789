/**
 * The change loop: take what has come, apply it, acknowledge what is durable. While one batch is applied the source
 * gathers the next, so batches grow with the load and stay small without it. Nothing is acknowledged before the sink
 * has it in a transaction that no crash takes back.
 */

import type { Batch } from '../change/batch.ts';
import { ZERO_LSN, type Lsn } from '../change/lsn.ts';
import type { Clock } from '../time/clock.ts';
import type { LinkId } from '../topology/link.ts';
import type { EngineProgress, Streamed } from './engine.ts';
import type { Pace } from './pace.ts';
import type { ChangeSink, ChangeSource } from './ports.ts';

/** How often the sink is asked what is durable, and the slot told. */
const ACKNOWLEDGE_MS = 200;
/** A position without changes is stored this often at most, or when the log moved this far: it is what lag is told by. */
const POSITION_MS = 2_000;
const POSITION_BYTES = 16n * 1024n * 1024n;
/** Transactions of one batch whose lag is measured: enough for quantiles, bounded for floods of small ones. */
const LAG_SAMPLES = 200;

/** What was applied, added up over the attempts of one stream: what an attempt did before it broke counts, too. */
export type Tally = { -readonly [K in keyof Omit<Streamed, 'findings' | 'errored'>]: Streamed[K] } & {
  errored: LinkId[];
};

export const newTally = (position: Lsn): Tally => ({
  position,
  changes: 0,
  transactions: 0,
  conflicts: 0,
  fallbacks: 0,
  errored: [],
});

/**
 * Adds to `end` as it goes. Ends at the source's end, or at a batch boundary after `stop` aborts; both leave everything
 * acknowledged.
 */
export const runChangeLoop = async (
  source: ChangeSource,
  sink: ChangeSink,
  clock: Clock,
  progress: EngineProgress,
  end: Tally,
  stop: AbortSignal,
  passed: (position: Lsn) => void = () => {},
  pace: Pace | null = null,
): Promise<void> => {
  let stored = end.position;
  let storedMs = clock.nowMs();
  let askedMs = 0;
  let open = false;
  /** The target has a transaction open that the next batch goes on with. */
  let began = false;
  let sourceMs: number | null = null;
  for (;;) {
    const batch = await source.next(ACKNOWLEDGE_MS, stop).catch((error: unknown) => {
      if (stop.aborted && !open) return null;
      throw error;
    });
    if (batch === null) break;
    if (batch !== 'idle') {
      open = batch.open;
      if (pace && batch.size > 0) {
        // What was not applied is not acknowledged: it comes again.
        const paused = await paced(batch, pace, stop);
        if (paused && !began) break;
      }
      began = batch.open;
      if (batch.size > 0 || open) {
        const applied = await sink.apply(batch);
        end.conflicts += applied.conflicts;
        end.fallbacks += applied.fellBack ? 1 : 0;
        if (!open) [stored, storedMs] = [batch.position, clock.nowMs()];
        report(batch, clock, progress);
      }
      if (!open) passed((end.position = batch.position));
      end.changes += batch.size;
      end.transactions += batch.commitsMs.length;
      sourceMs = batch.sourceMs ?? batch.commitsMs.at(-1) ?? sourceMs;
      source.recycle(batch);
    }
    const nowMs = clock.nowMs();
    const due =
      end.position - stored >= POSITION_BYTES || (end.position > stored && nowMs - storedMs >= POSITION_MS);
    if (!open && due) {
      await sink.advance(end.position, sourceMs);
      [stored, storedMs] = [end.position, nowMs];
    }
    if (!open && sink.hasUndurable && nowMs - askedMs >= ACKNOWLEDGE_MS) {
      askedMs = nowMs;
      acknowledge(source, await sink.durable());
    }
  }
  if (end.position > stored) await sink.advance(end.position, sourceMs);
  await settle(source, sink);
};

/**
 * Waits until the tenants of the batch may send as much. One that is over its budget slows the others of its stream down:
 * they share its transactions.
 * @returns whether that was cut short
 */
const paced = async (batch: Batch, pace: Pace, stop: AbortSignal): Promise<boolean> => {
  const waits = [...batch.counts].flatMap(([{ link }, { bytes }]) => pace.spend(link, bytes, stop) ?? []);
  try {
    await Promise.all(waits);
    return false;
  } catch (error) {
    if (!stop.aborted) throw error;
    return true;
  }
};

/** Before the end: counts written, everything durable and acknowledged. */
const settle = async (source: ChangeSource, sink: ChangeSink): Promise<void> => {
  await sink.flushCounts();
  await sink.flush();
  acknowledge(source, await sink.durable());
};

const acknowledge = (source: ChangeSource, durable: Lsn): void => {
  if (durable > ZERO_LSN) source.acknowledge(durable);
};

const report = (batch: Batch, clock: Clock, progress: EngineProgress): void => {
  for (const [route, counts] of batch.counts) progress.streamed(route.link, route.variant.table, counts);
  const nowMs = clock.nowMs();
  const step = Math.max(1, Math.ceil(batch.commitsMs.length / LAG_SAMPLES));
  for (let index = 0; index < batch.commitsMs.length; index += step) {
    progress.applied(Math.max(0, nowMs - batch.commitsMs[index]!), batch.position);
  }
};
