/** The report of a run: a fold over its journal, written beside the others. */

import { resolve } from 'node:path';
import { XcError } from '../../core/errors/xc-error.ts';
import { foldReport, type RunReport } from '../../core/report/report.ts';
import { type SessionEnd } from '../../core/run/session.ts';
import { isoTime } from '../../core/time/clock.ts';
import { writeDurably } from '../../providers/system/durable-file.ts';
import { type StateDirectory } from '../../providers/system/state-directory.ts';
import type { Host } from '../frame/host.ts';
import { type RunPolicy } from './run-policy.ts';
import { type Selected } from './selection.ts';

export const fold = async (
  host: Host,
  {
    selected,
    run,
    store,
    startedAt,
    gates,
  }: { selected: Selected; run: string; store: StateDirectory; startedAt: string; gates: RunPolicy },
  end: SessionEnd,
): Promise<RunReport> => {
  const stored = await store.read(run);
  if (!stored) throw new XcError('XC-6002', { subject: store.path, why: `run ${run} is not there any more` });
  return foldReport(
    {
      run,
      plan: stored.plan,
      version: host.version,
      commit: host.commit,
      missing: selected.loaded.missing,
      policy: gates.rows ?? stored.plan.policy,
      startedAt,
      endedAt: isoTime(host.clock.nowMs()),
      errors: end.errors,
      errored: end.errored,
      cutShort: end.cutShort,
      lagging: end.lagging,
      ...(end.interruption === undefined ? {} : { interruption: end.interruption }),
    },
    stored.entries,
  );
};

export const writeReport = async (
  host: Host,
  directory: string,
  report: RunReport,
): Promise<readonly string[]> => {
  const { reportMarkdown } = await import('../../core/report/markdown.ts');
  const at = (name: string): string => resolve(host.cwd, directory, report.run, name);
  await writeDurably(at('report.json'), `${host.redact(JSON.stringify(report, null, 2))}\n`);
  await writeDurably(at('report.md'), host.redact(reportMarkdown(report)));
  return [at('report.json'), at('report.md')];
};
