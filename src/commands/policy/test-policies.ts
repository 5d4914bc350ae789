/** Cases from files, run. */

import { EXIT } from '../../core/errors/exit.ts';
import { XcError } from '../../core/errors/xc-error.ts';
import { parseCases } from '../../core/policy/case-file.ts';
import { runCases, type CasesReport, type CaseResult } from '../../core/policy/run-cases.ts';
import type { Host, Outcome, Painter } from '../frame/host.ts';
import { readGiven } from '../read-given.ts';

/** @throws XcError XC-1013, XC-1404, XC-1001 for a pattern that is none */
export const testPolicies = async (
  host: Host,
  files: readonly string[],
  pattern: string | undefined,
): Promise<Outcome> => {
  const wanted = filterOf(pattern);
  const read = await Promise.all(
    files.map(async (file) => {
      const cases = parseCases((await readGiven(host, file)).toString(), file);
      return cases.filter(({ name }) => wanted.test(name)).map((one) => ({ file, read: one }));
    }),
  );
  const report = runCases(read.flat());
  const count = (result: CaseResult['result']): number =>
    report.results.filter((one) => one.result === result).length;
  const counts = { pass: count('PASS'), fail: count('FAIL'), error: count('ERROR') };
  return {
    document: { schemaVersion: 1, ...counts, ...report },
    records: report.results,
    table: (paint) => view(report, counts, paint),
    exit: counts.error > 0 ? EXIT.usage : counts.fail > 0 ? EXIT.findings : EXIT.done,
  };
};

const filterOf = (pattern: string | undefined): RegExp => {
  try {
    return new RegExp(pattern ?? '', 'u');
  } catch (error) {
    throw new XcError('XC-1001', {
      subject: `--run ${pattern}`,
      why: error instanceof Error ? error.message : 'no regular expression',
    });
  }
};

const TONES = { PASS: 'good', FAIL: 'bad', ERROR: 'bad' } as const;

const view = (
  { results, coverage }: CasesReport,
  counts: Readonly<Record<string, number>>,
  paint: Painter,
): string =>
  [
    ...results.flatMap(({ file, name, result, why }) => [
      `${paint[TONES[result]](result)}  ${name}  ${paint.dim(file)}`,
      ...why.map((line) => `      ${line}`),
    ]),
    '',
    paint.table(
      ['gate', 'branches', 'not reached'],
      coverage.map(({ gate, reached, missing }) => [
        gate,
        `${reached.length} of ${reached.length + missing.length}`,
        missing.join(', '),
      ]),
    ),
    '',
    `${counts['pass']} passed, ${counts['fail']} failed, ${counts['error']} in error`,
  ].join('\n');
