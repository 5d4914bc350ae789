/** `xcrepl precheck`: looks at everything that a run needs, writes nothing to a database, and says whether to go on. */

import { resolve } from 'node:path';
import { EXIT } from '../core/errors/exit.ts';
import { isoTime } from '../core/time/clock.ts';
import type { PrecheckReport } from '../core/report/precheck.ts';
import { isBlocking, type Finding } from '../core/validation/finding.ts';
import type { CommandModule, Host, Outcome, Painter } from './frame/host.ts';
import { leaf } from './frame/leaf.ts';

export const precheck: CommandModule = {
  command: (host, finish) =>
    leaf({
      name: 'precheck',
      about:
        'Looks at registry, servers, tables, object stores, Vault, keys and directories, each check a row with its remedy, and decides: PROCEED, PROCEED_SIMULATION or BLOCK. It only reads, ends within --timeout (15s where none is given) whatever hangs, and writes precheck.json and precheck.md, and on BLOCK precheck_block.txt, to the report directory.',
      examples: [
        ['xcrepl precheck', 'everything that the configuration names'],
        ['xcrepl precheck --timeout 5s --report-dir /var/reports -o json', 'for a script, in five seconds'],
        ['xcrepl precheck --dry-run --verbose', 'every row on the terminal, no report'],
      ],
      exits: [0, 2, 5, 7],
    })
      .option('--report-dir <dir>', 'where the reports go', 'reports')
      .action(async (options) => finish(await run(host, resolve(host.cwd, options.reportDir)))),
};

const run = async (host: Host, directory: string): Promise<Outcome> => {
  const startedMs = host.clock.nowMs();
  const { startDeadline, DEFAULT_TIMEOUT_MS } = await import('./precheck/deadline.ts');
  const deadline = startDeadline(host.flags.timeoutMs ?? DEFAULT_TIMEOUT_MS, host.signal);
  const loaded = await host.config();
  const { gather } = await import('./precheck/gather.ts');
  const { findings, missing } = await gather(host, loaded, deadline);
  host.signal.throwIfAborted();
  const { precheckReport } = await import('../core/report/precheck.ts');
  const { environmentRows } = await import('./precheck/environment.ts');
  const report = precheckReport({
    mode: loaded.mode,
    missing: [...new Set([...loaded.missing, ...missing])],
    at: isoTime(startedMs),
    durationMs: host.clock.nowMs() - startedMs,
    version: host.version,
    commit: host.commit,
    config: { path: loaded.path, digest: loaded.digest },
    environment: environmentRows(host.env),
    checks: findings,
  });
  const written = host.flags.dryRun ? [] : await write(host, directory, report);
  return {
    document: report,
    records: report.checks,
    table: (paint) => text(report, written, host.flags.verbose, paint),
    exit: report.decision === 'BLOCK' ? EXIT.refused : EXIT.done,
  };
};

const write = async (host: Host, directory: string, report: PrecheckReport): Promise<string[]> => {
  const { writeReports } = await import('./precheck/write-reports.ts');
  return writeReports(directory, report, (text) => host.redact(text));
};

const text = (report: PrecheckReport, written: readonly string[], all: boolean, paint: Painter): string => {
  const rows = report.checks.filter((row) => all || row.verdict !== 'pass');
  const { pass, fail, unknown, blocking } = report.counts;
  return [
    decision(report, paint),
    ...(report.missing.length > 0 ? [`without: ${report.missing.join(', ')}`] : []),
    ...rows.map((row) => findingText(row, paint)),
    `${pass} passed, ${fail} failed, ${unknown} unknown; ${blocking} block${all || pass === 0 ? '' : paint.dim(' (--verbose lists what passed)')}`,
    ...written.map((path) => paint.dim(`wrote ${path}`)),
    `next: ${report.next.join('; ')}`,
  ].join('\n');
};

const decision = (report: PrecheckReport, paint: Painter): string => {
  switch (report.decision) {
    case 'PROCEED':
      return paint.good(report.decision);
    case 'PROCEED_SIMULATION':
      return paint.warn(report.decision);
    case 'BLOCK':
      return paint.bad(report.decision);
  }
};

/** A finding is longer than a line of a table: what, then what was seen, then what to do about it. */
const findingText = (row: Finding, paint: Painter): string =>
  [
    [
      verdict(row, paint),
      paint.bold(row.check),
      row.subject,
      row.region ? `(${row.region})` : '',
      paint.dim(row.code ?? ''),
    ]
      .filter((part) => part !== '')
      .join('  '),
    `    ${row.seen}`,
    ...(row.remedy === undefined || row.verdict === 'pass'
      ? []
      : [`    ${paint.dim('remedy:')} ${row.remedy}`]),
  ].join('\n');

const verdict = (row: Finding, paint: Painter): string => {
  if (row.verdict === 'pass') return paint.good('pass');
  if (isBlocking(row)) return paint.bad(`BLOCK ${row.verdict}`);
  return row.severity === 'info' ? paint.dim(`info ${row.verdict}`) : paint.warn(`warn ${row.verdict}`);
};
