/** What a run tells on standard error: steps as they come and go, and how far a copy is. */

import type { ProgressListener } from '../../core/run/progress.ts';
import type { StepObserver } from '../../core/run/executor.ts';
import { subjectOf } from '../../core/plan/step-subject.ts';
import type { Host, ProgressTask } from '../frame/host.ts';
import { bytesText, countText, durationText } from './quantities.ts';

export interface Narration {
  readonly steps: StepObserver;
  readonly progress: ProgressListener;
  end(): void;
}

export const narrate = (host: Host): Narration => {
  let task: { readonly progress: ProgressTask; readonly rows: number; readonly startedMs: number } | null =
    null;
  let copied = { rows: 0, bytes: 0 };
  const left = new Map<string, () => void>();
  const end = (): void => {
    task?.progress.end();
    task = null;
  };
  return {
    end,
    steps: {
      started(step) {
        host.narrator.detail(`${step.id} ${step.kind} ${subjectOf(step)}`);
        if (step.kind !== 'copy-table') return;
        end();
        copied = { rows: 0, bytes: 0 };
        task = {
          progress: host.progress(`copying ${step.table}`),
          rows: step.rows,
          startedMs: host.clock.nowMs(),
        };
      },
      done(step, durationMs, result) {
        if (step.kind === 'copy-table') end();
        if (step.kind === 'create-slot')
          left.set(step.slot, host.leaves(`slot ${step.slot}, which the next run goes on with`));
        if (step.kind === 'merge-links') left.get(step.slot)?.();
        const counts = ['rows', 'changes', 'tables', 'links'].flatMap((name) =>
          typeof result[name] === 'number' ? [`${countText(result[name])} ${name}`] : [],
        );
        // A copy shows its progress; its end is one line of many.
        const tell = step.kind === 'copy-table' ? 'detail' : 'info';
        host.narrator[tell](
          [`${step.id} ${step.kind} ${subjectOf(step)}: done in ${durationText(durationMs)}`, ...counts].join(
            ', ',
          ),
        );
      },
      failed(step, durationMs, error) {
        end();
        host.narrator.warn(
          `${step.id} ${step.kind} ${subjectOf(step)}: ${error.code} after ${durationText(durationMs)}`,
        );
      },
    },
    progress: {
      copied(_stream, _table, added) {
        copied = { rows: copied.rows + added.rows, bytes: copied.bytes + added.bytes };
        if (!task) return;
        const seconds = Math.max(0.001, (host.clock.nowMs() - task.startedMs) / 1_000);
        const rate = copied.rows / seconds;
        const left = task.rows > copied.rows && rate > 0 ? ((task.rows - copied.rows) / rate) * 1_000 : null;
        const remaining = left === null ? '' : `, ~${durationText(left)} left`;
        task.progress.update(
          copied.rows,
          task.rows > 0 ? Math.max(task.rows, copied.rows) : null,
          `${bytesText(copied.bytes)}, ${countText(rate)} rows/s${remaining}`,
        );
      },
      note: (stream, text) => host.narrator.info(`stream ${stream.key}: ${text}`),
    },
  };
};
