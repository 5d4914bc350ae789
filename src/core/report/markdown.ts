/** The report for people: the same facts as its JSON, in the order in which they are asked for. */

import { keyText } from '../validation/finding.ts';
import type { RunReport, StepReport } from './report.ts';

export const reportMarkdown = (report: RunReport): string =>
  [
    `# Run ${report.run}: ${report.outcome}`,
    summary(report),
    section(
      'Errors',
      report.errors
        .map((error) => `- **${error.code}** ${error.message}\n  - next: ${error.next}`)
        .join('\n'),
    ),
    section(
      'Held links',
      report.errored
        .map(({ link, code, message, next }) => `- ${link}: **${code}** ${message}\n  - next: ${next}`)
        .join('\n'),
    ),
    section('Findings', report.findings.map(findingLine).join('\n')),
    section('Steps', table(['step', 'what', 'on', 'state', 'time', 'result'], report.steps.map(stepRow))),
    section('Policy', table(['gate', 'name', 'verdict', 'reason'], report.policy.map(gateRow))),
    section('Next', report.next.map((command) => `- \`${command}\``).join('\n')),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');

const summary = (report: RunReport): string => {
  const { totals, lagMs } = report;
  const rows: [string, string][] = [
    ['outcome', `${report.outcome} (exit ${report.exit})`],
    [
      'mode',
      report.missing.length > 0 ? `${report.mode}, without ${report.missing.join(', ')}` : report.mode,
    ],
    ['started', report.startedAt],
    ['ended', report.endedAt],
    ['plan', report.plan],
    ['program', `xcrepl ${report.version} (${report.commit})`],
    ['copied', `${totals.copiedRows} rows, ${totals.copiedBytes} bytes`],
    ['streamed', `${totals.changes} changes in ${totals.transactions} transactions`],
    [
      'lag',
      lagMs
        ? `p50 ${lagMs.p50} ms, p99 ${lagMs.p99} ms of ${lagMs.samples} measured`
        : 'nothing was streamed',
    ],
    ['compared', `${totals.verifiedRows} rows`],
  ];
  return table(['', ''], rows);
};

const findingLine = (finding: RunReport['findings'][number]): string =>
  `- ${finding.verdict} (${finding.severity}) **${finding.check}** ${finding.subject}: ${finding.seen}` +
  (finding.remedy === undefined ? '' : `\n  - remedy: \`${finding.remedy}\``) +
  (finding.keys ?? []).map((key) => `\n  - ${key.link}: \`${keyText(key)}\``).join('');

const stepRow = (step: StepReport): string[] => [
  step.id,
  step.kind,
  step.subject,
  step.state,
  step.durationMs === null ? '' : `${step.durationMs} ms`,
  Object.entries(step.result ?? {})
    .filter(
      ([, value]) => typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean',
    )
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', '),
];

const gateRow = (row: RunReport['policy'][number]): string[] => [
  row.gate,
  row.name,
  row.simulated ? `${row.verdict} (simulated)` : row.verdict,
  row.reason,
];

const section = (title: string, body: string): string => (body === '' ? '' : `## ${title}\n\n${body}`);

const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(' | ')} |`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => {
  if (rows.length === 0) return '';
  return [line(head), `|${head.map(() => ' --- |').join('')}`, ...rows.map(line)].join('\n');
};

const escape = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
