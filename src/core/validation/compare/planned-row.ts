/**
 * A row that differs, as a plan of its repair holds it: by its key after policy, with the digests of what either side
 * had. Who runs the plan makes the digests again, and leaves a row alone that is not the same any more.
 */

import type { Difference } from './settle.ts';

export type PlannedRow = Difference;

/** What is to be done about a row that was planned, by what both sides have now. */
export type RowJudgement = 'mend' | 'equal' | 'moved';

/** @param now digestText of both sides, read while nothing else could write the target */
export const judgeRow = (
  planned: Pick<PlannedRow, 'source' | 'target'>,
  now: Pick<PlannedRow, 'source' | 'target'>,
): RowJudgement => {
  if (now.source === now.target) return 'equal';
  return now.source === planned.source && now.target === planned.target ? 'mend' : 'moved';
};
