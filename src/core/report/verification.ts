/** What `replication verify` found, folded over the streams that were compared. Pure. */

import { EXIT } from '../errors/exit.ts';
import type { Compared } from '../replication/engine.ts';
import type { LinkId } from '../topology/link.ts';
import { worst, type TableVerdict } from '../validation/compare/table-verdict.ts';
import { compareFindings, type Finding, type Verdict } from '../validation/finding.ts';

/** What `--repair-plan` wrote. */
export interface RepairPlanned {
  readonly id: string;
  readonly file: string;
  readonly rows: number;
  /** More rows differ than were looked for: verify again behind the repair. */
  readonly atLeast: boolean;
  readonly findings: readonly Finding[];
  readonly next: string;
}

export interface VerifyReport {
  readonly schemaVersion: 1;
  readonly at: string;
  readonly mode: 'live' | 'simulation';
  readonly verdict: Verdict;
  readonly exit: number;
  readonly links: readonly {
    readonly link: LinkId;
    readonly verdict: Verdict;
    readonly tables: number;
    readonly differing: number;
    readonly unsettled: number;
  }[];
  readonly tables: readonly TableVerdict[];
  readonly findings: readonly Finding[];
  readonly rows: number;
  /** Of the row hashes, and of the sample: given again, it draws the same one. */
  readonly seed: string;
  /** Share that was looked at; 1 is everything. */
  readonly sample: number;
  /** Part of it was compared by an earlier run that was cut off. */
  readonly resumed: boolean;
  /** Null where nothing differs; absent where no plan was asked for. */
  readonly plan?: RepairPlanned | null;
}

export const foldVerification = (
  compared: readonly Compared[],
  asked: readonly LinkId[],
  about: Pick<VerifyReport, 'at' | 'mode' | 'seed' | 'sample' | 'resumed' | 'plan'>,
): VerifyReport => {
  const tables = compared.flatMap((each) => each.tables);
  const findings = compared.flatMap((each) => each.findings).toSorted(compareFindings);
  const links = asked.map((link) => {
    const own = tables.flatMap((table) => table.links.filter((each) => each.link === link));
    const sum = (of: 'differing' | 'unsettled'): number => own.reduce((total, each) => total + each[of], 0);
    return {
      link,
      verdict: worst(own.map((each) => each.verdict)),
      tables: own.length,
      differing: sum('differing'),
      unsettled: sum('unsettled'),
    };
  });
  const verdict = worst(links.map((each) => each.verdict));
  return {
    schemaVersion: 1,
    ...about,
    verdict,
    exit: verdict === 'fail' ? EXIT.findings : verdict === 'unknown' ? EXIT.unknown : EXIT.done,
    links,
    tables,
    findings,
    rows: tables.reduce((total, table) => total + table.rows.source, 0),
  };
};
