/** The step runners of the warm tier: each hands its step to the engine of the step's stream. */

import { formatLsn, type Lsn } from '../change/lsn.ts';
import { XcError } from '../errors/xc-error.ts';
import type { Step, StreamChanges } from '../plan/plan.ts';
import type { StreamEngine, Streamed } from '../replication/engine.ts';
import type { StreamKey } from '../topology/link.ts';
import type { Finding } from '../validation/finding.ts';
import type { StepResult } from './journal.ts';
import type { RunProgress } from './progress.ts';
import type { StepRunner, StepRunners } from './step-runner.ts';

const NOTHING_TO_VERIFY = (): Promise<readonly Finding[]> => Promise.resolve([]);

const runner = <S extends Step>(run: StepRunner<S>['run']): StepRunner<S> => ({
  run,
  verify: NOTHING_TO_VERIFY,
});

export const engineRunners = (
  engines: ReadonlyMap<StreamKey, StreamEngine>,
  progress: RunProgress,
): StepRunners => {
  const engineOf = (step: Step): StreamEngine => {
    const engine = engines.get(step.stream);
    if (!engine)
      throw new XcError('XC-9001', { subject: `stream ${step.stream}`, why: 'no engine was opened for it' });
    return engine;
  };
  /** What a step found, from its run to its verify. */
  const found = new Map<string, readonly Finding[]>();
  return {
    'publish-tables': runner((step) => engineOf(step).publishTables(step)),
    'create-slot': runner(async (step) => {
      const { slot, position } = await engineOf(step).createSlot(step);
      return { slot, position: formatLsn(position) };
    }),
    'copy-table': runner(async (step, signal) => ({ ...(await engineOf(step).copyTable(step, signal)) })),
    'stream-changes': {
      run: async (step, signal) => {
        const [ended, until] = await streamOnce(engineOf(step), step, signal);
        found.set(step.id, ended.findings ?? []);
        return streamResult(ended, step, progress, until);
      },
      verify: (step) => Promise.resolve(found.get(step.id) ?? []),
    },
    'split-links': runner(async (step) => {
      const { links, position } = await engineOf(step).splitLinks(step);
      return { links, position: position === null ? null : formatLsn(position) };
    }),
    'merge-links': runner(async (step, signal) => {
      const { links, position } = await engineOf(step).mergeLinks(step, signal);
      return { links, position: position === null ? null : formatLsn(position) };
    }),
    'move-links': runner(async (step, signal) => {
      const giver = engines.get(step.from);
      const { links, position, removed } = await (giver
        ? giver.handOver(step, signal)
        : engineOf(step).adopt(step));
      return { links, position: position === null ? null : formatLsn(position), removed };
    }),
    'remove-links': runner(async (step) => ({ ...(await engineOf(step).removeLinks(step)) })),
    'remove-tables': runner((step) => engineOf(step).removeTables(step)),
    'repair-rows': {
      run: async (step, signal) => {
        const engine = engineOf(step);
        if (!engine.repairRows)
          throw new XcError('XC-1007', { subject: step.table, why: 'its source has no rows to be read' });
        const { findings, ...counts } = await engine.repairRows(step, signal);
        found.set(step.id, findings);
        return { ...counts };
      },
      verify: (step) => Promise.resolve(found.get(step.id) ?? []),
    },
    verify: {
      run: async (step, signal) => {
        const { findings, tables, rows } = await engineOf(step).verify(step, signal);
        found.set(step.id, findings);
        return { tables, rows };
      },
      verify: (step) => Promise.resolve(found.get(step.id) ?? []),
    },
  };
};

/** Streams to the source's position at the start of the step; an abort before that is an interruption. */
const streamOnce = async (
  engine: StreamEngine,
  step: StreamChanges,
  signal: AbortSignal,
): Promise<[Streamed, Lsn]> => {
  const until = await engine.sourcePosition();
  const ended = await engine.streamChanges(step, { until, signal });
  if (ended.position < until) signal.throwIfAborted();
  return [ended, until];
};

export const streamResult = (
  ended: Streamed,
  step: StreamChanges,
  progress: RunProgress,
  until: Lsn | null,
): StepResult => ({
  position: formatLsn(ended.position),
  ...(until === null ? {} : { until: formatLsn(until) }),
  changes: ended.changes,
  transactions: ended.transactions,
  conflicts: ended.conflicts,
  fallbacks: ended.fallbacks,
  ...(ended.errored.length === 0 ? {} : { errored: ended.errored }),
  lagMs: progress.lag(step.stream),
  tables: progress.tables(step.stream),
});
