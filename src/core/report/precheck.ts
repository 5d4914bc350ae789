/** precheck's result: the decision, every check as a row, and what the environment gave, for programs and for people. */

import { compareFindings, isBlocking, type Finding } from '../validation/finding.ts';

export type Decision = 'PROCEED' | 'PROCEED_SIMULATION' | 'BLOCK';

/** One variable of the environment. `shown` never holds a secret: a DSN is user, host, port and database. */
export interface EnvironmentRow {
  readonly name: string;
  readonly set: boolean;
  readonly shown: string | null;
}

export interface PrecheckReport {
  readonly schemaVersion: 1;
  readonly kind: 'precheck';
  readonly decision: Decision;
  readonly mode: 'live' | 'simulation';
  /** What simulation does without, by name. */
  readonly missing: readonly string[];
  readonly at: string;
  readonly durationMs: number;
  readonly version: string;
  readonly commit: string;
  readonly config: { readonly path: string | null; readonly digest: string };
  readonly environment: readonly EnvironmentRow[];
  readonly counts: {
    readonly pass: number;
    readonly fail: number;
    readonly unknown: number;
    readonly blocking: number;
  };
  /** Worst first. */
  readonly checks: readonly Finding[];
  readonly next: readonly string[];
}

/**
 * Any blocking row blocks, in simulation too. Live and unblocked means that the registry is up, or declared to be none,
 * and that the primary answered: both have blocking rows of their own where they are not.
 */
export const decide = (checks: readonly Finding[], mode: 'live' | 'simulation'): Decision => {
  if (checks.some(isBlocking)) return 'BLOCK';
  return mode === 'live' ? 'PROCEED' : 'PROCEED_SIMULATION';
};

export const precheckReport = (
  parts: Omit<PrecheckReport, 'schemaVersion' | 'kind' | 'decision' | 'counts' | 'next'>,
): PrecheckReport => {
  const checks = parts.checks.toSorted(compareFindings);
  const decision = decide(checks, parts.mode);
  const count = (verdict: Finding['verdict']): number =>
    checks.filter((row) => row.verdict === verdict).length;
  return {
    schemaVersion: 1,
    kind: 'precheck',
    ...parts,
    decision,
    counts: {
      pass: count('pass'),
      fail: count('fail'),
      unknown: count('unknown'),
      blocking: checks.filter(isBlocking).length,
    },
    checks,
    next: decision === 'BLOCK' ? ['xcrepl precheck'] : ['xcrepl replication simulate'],
  };
};

export const precheckMarkdown = (report: PrecheckReport): string => {
  const open = report.checks.filter((row) => row.verdict !== 'pass');
  const passed = report.checks.filter((row) => row.verdict === 'pass');
  return [
    `# Precheck: ${report.decision}`,
    summary(report),
    section('Blocking', open.filter(isBlocking)),
    section(
      'Other findings',
      open.filter((row) => !isBlocking(row)),
    ),
    section('Passed', passed),
    `## Environment\n\n${table(
      ['variable', 'value'],
      report.environment.map((row) => [row.name, row.set ? (row.shown ?? 'set') : 'not set']),
    )}`,
    `## Next\n\n${report.next.map((command) => `- \`${command}\``).join('\n')}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
};

const summary = (report: PrecheckReport): string =>
  table(
    ['', ''],
    [
      [
        'mode',
        report.missing.length > 0 ? `${report.mode}, without ${report.missing.join(', ')}` : report.mode,
      ],
      ['at', `${report.at}, took ${report.durationMs} ms`],
      ['configuration', `${report.config.path ?? 'the environment alone'} (${report.config.digest})`],
      ['program', `xcrepl ${report.version} (${report.commit})`],
      [
        'checks',
        `${report.counts.pass} passed, ${report.counts.fail} failed, ${report.counts.unknown} unknown; ${report.counts.blocking} block`,
      ],
    ],
  );

const section = (title: string, rows: readonly Finding[]): string =>
  rows.length === 0
    ? ''
    : `## ${title}\n\n${table(
        ['check', 'region', 'subject', 'verdict', 'severity', 'seen', 'remedy', 'code'],
        rows.map((row) => [
          row.check,
          row.region ?? '',
          row.subject,
          row.verdict,
          row.severity,
          row.seen,
          row.remedy === undefined ? '' : `\`${row.remedy}\``,
          row.code ?? '',
        ]),
      )}`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.map(cell).join(' | ')} |`).join('\n');

/** A bar or a line break would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ');

/** precheck_block.txt: what stops a run, one paragraph each, for a pager or a ticket. */
export const precheckBlockText = (report: PrecheckReport): string =>
  [
    `BLOCK ${report.at}`,
    ...report.checks
      .filter(isBlocking)
      .map((row) =>
        [
          `${row.code ?? ''} ${row.check} ${row.region ?? ''} ${row.subject}: ${row.seen}`
            .replace(/ +/g, ' ')
            .trim(),
          ...(row.remedy === undefined ? [] : [`  remedy: ${row.remedy}`]),
        ].join('\n'),
      ),
  ]
    .join('\n')
    .concat('\n');
