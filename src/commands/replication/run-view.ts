/** How a run ended, as a person reads it. */

import type { RunReport } from '../../core/report/report.ts';
import type { Painter } from '../frame/host.ts';
import { findingsView } from './plan-view.ts';
import { bytesText, countText, durationText } from './quantities.ts';

export const runView = (report: RunReport, files: readonly string[], paint: Painter): string => {
  const { totals, lagMs } = report;
  const tone = report.exit === 0 ? 'good' : 'bad';
  return [
    `${paint.bold(report.run)}  ${paint[tone](report.outcome)}${report.mode === 'simulation' ? ' (simulation)' : ''}`,
    '',
    paint.table(
      ['step', 'what', 'on', 'state', 'time'],
      report.steps.map((step) => [
        step.id,
        step.kind,
        step.subject,
        step.state,
        step.durationMs === null ? '' : durationText(step.durationMs),
      ]),
    ),
    '',
    (changedNothing(report) ? 'no change: ' : '') +
      `copied ${countText(totals.copiedRows)} rows (${bytesText(totals.copiedBytes)}), ` +
      `streamed ${countText(totals.changes)} changes in ${countText(totals.transactions)} transactions, ` +
      `compared ${countText(totals.verifiedRows)} rows` +
      (totals.repairedRows > 0 ? `, repaired ${countText(totals.repairedRows)} rows` : ''),
    lagMs
      ? `lag p50 ${durationText(lagMs.p50)}, p99 ${durationText(lagMs.p99)}`
      : 'lag: nothing was streamed',
    ...findingsView(report.findings, paint),
    ...report.errors.flatMap((error) => [
      '',
      paint.bad(`${error.code} ${error.message}`),
      `next: ${error.next}`,
    ]),
    ...report.errored.flatMap((error) => [
      '',
      paint.bad(`${error.link} is held, the others went on: ${error.code} ${error.message}`),
      `next: ${error.next}`,
    ]),
    '',
    ...files.map((file) => `report: ${file}`),
    ...report.next.map((command) => `next: ${command}`),
  ].join('\n');
};

/** Streaming and comparing leave a target that was up to date as it was. */
const changedNothing = ({ outcome, totals, steps }: RunReport): boolean =>
  outcome === 'done' &&
  totals.copiedRows === 0 &&
  totals.changes === 0 &&
  totals.repairedRows === 0 &&
  steps.every(({ kind }) => kind === 'stream-changes' || kind === 'verify' || kind === 'repair-rows');
