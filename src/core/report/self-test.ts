/** What a test of verification found, folded over the streams whose tables it was tested on. Pure. */

import { EXIT } from '../errors/exit.ts';
import type { SelfTested } from '../replication/engine.ts';
import type { SelfTestedTable } from '../validation/compare/self-test.ts';
import { compareFindings, type Finding, type Verdict } from '../validation/finding.ts';

export interface SelfTestReport {
  readonly schemaVersion: 1;
  readonly at: string;
  readonly mode: 'live' | 'simulation';
  readonly selfTest: true;
  readonly verdict: Verdict;
  readonly exit: number;
  readonly tables: readonly SelfTestedTable[];
  readonly findings: readonly Finding[];
}

/** A table without rows says nothing; one of several that has some is enough, and one that failed outweighs all. */
export const foldSelfTest = (
  parts: readonly SelfTested[],
  about: Pick<SelfTestReport, 'at' | 'mode'>,
): SelfTestReport => {
  const tables = parts.flatMap(({ tested }) => tested);
  const verdicts = new Set(tables.map(({ verdict }) => verdict));
  const verdict = verdicts.has('fail') ? 'fail' : verdicts.has('pass') ? 'pass' : 'unknown';
  return {
    schemaVersion: 1,
    ...about,
    selfTest: true,
    verdict,
    exit: verdict === 'fail' ? EXIT.findings : verdict === 'unknown' ? EXIT.unknown : EXIT.done,
    tables,
    findings: parts.flatMap(({ findings }) => findings).toSorted(compareFindings),
  };
};
